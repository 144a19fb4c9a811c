using System.IO.Hashing;
using System.Runtime.InteropServices;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

/// <summary>
/// First steps of the demo and of the default preset against figures recorded from this program: a change of how it is written, or an
/// option that is off, must not move a training. Processors round differently, so the figures leave room for that and for nothing else;
/// on one machine the printed digest of all parameters tells whether a single bit moved.
/// </summary>
public sealed class RecordedTrainingTests
{
    private const int Vocabulary = 512;

    public RecordedTrainingTests() => set_num_threads(1);

    [Fact]
    public void The_demo_trains_as_recorded() =>
        Check(
            new ModelOptions
            {
                Preset = "tiny",
                GeneratorSize = 1,
                TieEncoders = true,
            },
            new PretrainOptions
            {
                Steps = 100,
                BatchSize = 32,
                MicroBatchSize = 16,
                LearningRate = 3e-3,
                AdamBeta2 = 0.98,
                DiscriminatorWeight = 10,
                WarmupSteps = 2,
                Replicas = 2,
            },
            length: 32,
            [13.378556423597889, 13.336194715583336, 12.855243757749072, 11.933143195694276]
        );

    [Fact]
    public void The_default_preset_trains_as_recorded() =>
        Check(
            new ModelOptions(),
            new PretrainOptions
            {
                Steps = 100,
                BatchSize = 4,
                MicroBatchSize = 2,
                WarmupSteps = 1_000,
            },
            length: 16,
            [39.24241487307084, 38.085144244546505, 40.06511704985553, 37.75405722883346]
        );

    private static void Check(ModelOptions model, PretrainOptions options, int length, double[] losses)
    {
        using var trainer = new Pretrainer(model.Resolve(Vocabulary), options, TinyPretraining.Ids, 42, CPU);
        double[] found = [.. losses.Select((_, step) => trainer.Train(Text(step, options.BatchSize, length)).Loss)];
        ReadOnlySpan<byte> parameters = MemoryMarshal.AsBytes<float>(trainer.Model.Parameters.Values.data<float>().ToArray());
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"losses {string.Join(", ", found.Select(loss => $"{loss:R}"))}; digest {XxHash3.HashToUInt64(parameters):x16}"
        );
        Assert.All(losses.Zip(found), pair => Assert.Equal(pair.First, pair.Second, Math.Abs(pair.First) * 1e-4));
    }

    private static ExampleBatch Text(long step, int count, int length)
    {
        var ids = new int[count * length];
        int[] lengths = new int[count];
        for (int b = 0; b < count; b++)
        {
            var random = new CounterRandom(17, (ulong)step, (ulong)b);
            lengths[b] = length - random.Next(length / 2);
            Span<int> example = ids.AsSpan(b * length, lengths[b]);
            foreach (ref int token in example)
            {
                token = 5 + (int)((Vocabulary - 5) * Math.Pow(random.NextDouble(), 3)); // some words are frequent
            }

            example[0] = TinyPretraining.Ids.Classifier;
            example[^1] = TinyPretraining.Ids.Separator;
        }

        return new ExampleBatch(ids, lengths, lengths, count, length);
    }
}
