using ElectraPipeline.Training;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using static TorchSharp.torch;

namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>
/// A pre-training as the product runs it: examples from a shard file, the real loop. The text is random tokens, which cost what others
/// cost.
/// </summary>
internal sealed class TrainingStepRun : IDisposable
{
    private const int Examples = 512;
    private const int FirstToken = 5;
    private static readonly SpecialIds Ids = new(2, 3, 4);
    private readonly string folder = Directory.CreateTempSubdirectory("electra-bench-").FullName;
    private readonly PretrainOptions options;
    private readonly IStageReporter reporter;
    private readonly ExampleSet examples;
    private readonly BatchSampler sampler;

    public TrainingStepRun(TrainingStepSetting setting, IStageReporter reporter)
    {
        this.reporter = reporter;
        options = setting.Options();
        WriteShard(setting);
        examples = ExampleSet.Open([folder], Split.Train);
        sampler = new BatchSampler(examples, seed: 1, setting.BatchSize);
        Trainer = new Pretrainer(setting.Config(), options, Ids, seed: 1, CPU);
    }

    public Pretrainer Trainer { get; }

    /// <summary>Trains some steps on.</summary>
    public void Train(int steps)
    {
        PretrainOptions until = options with { Steps = (int)Trainer.Step + steps };
        new PretrainLoop(Trainer, until, 1, sampler.Batch, heldOut: null, new CheckpointWriter(folder), reporter).Run(
            CancellationToken.None
        );
    }

    /// <summary>Tokens masked in the batch of a step.</summary>
    public int Masked(long step)
    {
        ExampleBatch batch = sampler.Batch(step);
        return options
            .Masking(Ids, Trainer.Model.Config.VocabularySize)
            .Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, 1, step)
            .Positions.Length;
    }

    public void Dispose()
    {
        Trainer.Dispose();
        examples.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void WriteShard(TrainingStepSetting setting)
    {
        var header = new ShardHeader(TokenBytes: 2, setting.Length, PadId: 0, new byte[32], new byte[32]);
        using var writer = new ShardWriter(Path.Combine(folder, ExampleSet.FileNameOf(Split.Train)), header);
        var random = new CounterRandom(1, 0);
        int[] ids = new int[setting.Length];
        for (int i = 0; i < Examples; i++)
        {
            for (int place = 0; place < ids.Length; place++)
            {
                ids[place] = FirstToken + random.Next(setting.Vocabulary - FirstToken);
            }

            (ids[0], ids[^1]) = (Ids.Classifier, Ids.Separator);
            writer.Add(ids, ids.Length);
        }

        writer.Commit();
    }
}
