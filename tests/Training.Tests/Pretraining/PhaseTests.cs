using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using FsCheck.Xunit;
using Xunit;

namespace ElectraPipeline.Training.Tests.Pretraining;

public sealed class PhaseTests
{
    private static readonly PretrainOptions Options = new()
    {
        Steps = 100,
        BatchSize = 8,
        MicroBatchSize = 4,
        LearningRate = 1,
        WarmupSteps = 10,
        Phases =
        [
            new()
            {
                Steps = 60,
                SequenceLength = 16,
                BatchSize = 32,
            },
            new()
            {
                Steps = 40,
                LearningRate = 0.5,
                WarmupSteps = 4,
                MicroBatchSize = 2,
            },
        ],
    };

    [Theory]
    [InlineData(0, 0, 32, 4, 0)]
    [InlineData(30, 960, 32, 4, 0.7)] // the whole run's schedule: 1 - 30 / 100
    [InlineData(59, 1_888, 32, 4, 0.41)]
    [InlineData(60, 1_920, 8, 2, 0)] // starts anew: warm-up of 4
    [InlineData(62, 1_936, 8, 2, 0.5 * 0.5 * 0.95)]
    [InlineData(80, 2_080, 8, 2, 0.25)]
    [InlineData(100, 2_240, 8, 2, 0)]
    public void A_step_has_the_settings_of_its_phase(long step, long examples, int batch, int micro, double rate)
    {
        var plan = new PhasePlan(Options);
        Assert.Equal(examples, plan.ExamplesBefore(step));
        Assert.Equal((batch, micro), (plan.At(step).BatchSize, plan.At(step).MicroBatchSize));
        Assert.Equal(rate, plan.LearningRate(step), 1e-12);
    }

    [Fact]
    public void Steps_that_are_not_the_phases_sum_are_refused() =>
        Assert.Contains(
            "101",
            Assert.Throws<PermanentException>(() => new PhasePlan(Options with { Steps = 101 })).Message,
            StringComparison.Ordinal
        );

    [Property(MaxTest = 50)]
    public void Windows_cover_every_token_and_keep_the_frame(byte size)
    {
        const int Window = 10;
        int length = 5 + (size % 60),
            second = length / 2;
        int[] ids = [2, .. Enumerable.Range(100, length - 2), 3, 0, 0, 0];
        var batch = new ExampleBatch(ids, [length], [second], 1, ids.Length);
        HashSet<int> seen = [];
        for (int draw = 0; draw < 200; draw++)
        {
            ExampleBatch cut = SequenceWindows.Cut(batch, Window, seed: 1, draw);
            int[] text = cut.InputIds[..cut.Lengths[0]];
            Assert.Equal(Math.Min(Math.Min(length, Window), ids.Length), text.Length);
            Assert.Equal((2, 3), (text[0], text[^1]));
            Assert.Equal(Enumerable.Range(text[1], text.Length - 2), text[1..^1]);
            int expected = Array.FindIndex(text, 1, text.Length - 2, id => id >= ids[second]);
            Assert.Equal(expected > 1 ? expected : text.Length, cut.SecondSegmentStarts[0]);
            seen.UnionWith(text[1..^1]);
        }

        Assert.Equal(length - 2, seen.Count);
    }
}
