using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

/// <summary>A model of a few thousand parameters and batches of made-up text, both functions of their arguments alone.</summary>
internal static class TinyPretraining
{
    public const int Vocabulary = 101;
    public const int SequenceLength = 24;
    public const int BatchSize = 8;

    public static SpecialIds Ids { get; } = new(Classifier: 2, Separator: 3, Mask: 4);

    public static ElectraConfig Config(double dropout = 0, string initialization = "normal", ModelParts? parts = null) =>
        new()
        {
            VocabularySize = Vocabulary,
            EmbeddingSize = 16,
            MaxPositions = 32,
            Parts = parts ?? ModelParts.Electra,
            Discriminator = new()
            {
                Layers = 2,
                HiddenSize = 32,
                IntermediateSize = 64,
                AttentionHeads = 2,
            },
            Generator = new()
            {
                Layers = 1,
                HiddenSize = 16,
                IntermediateSize = 32,
                AttentionHeads = 1,
            },
            HiddenDropout = dropout,
            AttentionDropout = dropout,
            Initialization = initialization,
        };

    public static PretrainOptions Options(int replicas = 1) =>
        new()
        {
            Steps = 20,
            BatchSize = BatchSize,
            MicroBatchSize = 2,
            LearningRate = 1e-3,
            WarmupSteps = 5,
            CheckpointSteps = 10,
            LogSteps = 5,
            EvaluateSteps = 10,
            Replicas = replicas,
        };

    /// <summary>On the CPU; <paramref name="onHost"/> false takes the way of other devices there.</summary>
    public static Pretrainer Trainer(PretrainOptions? options = null, ElectraConfig? config = null, ulong seed = 7, bool onHost = true) =>
        new(config ?? Config(), options ?? Options(), Ids, seed, CPU, onHost);

    /// <summary>Examples whose tokens follow each other by a rule that can be learned, with lengths from 6 to the longest.</summary>
    public static ExampleBatch Batch(long step, int size = BatchSize)
    {
        var ids = new int[size * SequenceLength];
        var lengths = new int[size];
        var seconds = new int[size];
        for (int b = 0; b < size; b++)
        {
            var random = new CounterRandom(99, (ulong)step, (ulong)b);
            lengths[b] = 6 + random.Next(SequenceLength - 5);
            seconds[b] = random.Next(2) == 0 ? lengths[b] : lengths[b] / 2;
            Span<int> example = ids.AsSpan(b * SequenceLength, lengths[b]);
            int token = random.Next(Vocabulary - 5);
            for (int i = 0; i < example.Length; i++, token = ((token * 3) + 1) % (Vocabulary - 5))
            {
                example[i] = 5 + token;
            }

            example[0] = Ids.Classifier;
            example[^1] = Ids.Separator;
        }

        return new ExampleBatch(ids, lengths, seconds, size, SequenceLength);
    }

    /// <summary>All parameters and moments, to compare bit for bit.</summary>
    public static Dictionary<string, float[]> Snapshot(Pretrainer trainer)
    {
        using var scope = NewDisposeScope();
        return trainer.State().ToDictionary(pair => pair.Name, pair => pair.Tensor.contiguous().data<float>().ToArray());
    }

    public static void Train(Pretrainer trainer, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            trainer.Train(Batch(trainer.Step));
        }
    }
}
