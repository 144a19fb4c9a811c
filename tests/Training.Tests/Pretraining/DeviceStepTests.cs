using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

/// <summary>What devices of their own do, as far as it can be seen without one.</summary>
public sealed class DeviceStepTests : IDisposable
{
    /// <summary>LibTorch's device of shapes without data: whoever reads a value there gets an exception.</summary>
    private static readonly Device NoData = new(DeviceType.META);

    private readonly string folder = Directory.CreateTempSubdirectory("electra-device-").FullName;

    public DeviceStepTests() => set_num_threads(1);

    public static TheoryData<string> Objectives => [.. PretrainingObjectives.Names];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Objectives))]
    public void A_step_reads_nothing_from_the_device(string objective)
    {
        PretrainOptions options = TinyPretraining.Options() with { Objective = objective, Precision = "bfloat16", DisallowCorrect = objective == "electra" };
        using var trainer = new Pretrainer(
            TinyPretraining.Config(dropout: 0.1, parts: PretrainingObjectives.PartsOf(objective)), options, TinyPretraining.Ids, seed: 7, NoData);
        for (int i = 0; i < 3; i++)
        {
            using PreparedStep prepared = trainer.Prepare(TinyPretraining.Batch(trainer.Step), trainer.Step);
            using PendingStep pending = trainer.Begin(prepared);
            Assert.ThrowsAny<Exception>(() => pending.Read()); // so a read within the step would have been noticed
        }

        Assert.Equal(3, trainer.Step);
    }

    [Fact]
    public void The_way_of_other_devices_gives_nearly_the_hosts_parameters()
    {
        Dictionary<string, float[]> host = After(onHost: true, replicas: 1), device = After(onHost: false, replicas: 1), two = After(onHost: false, replicas: 2);
        AssertClose(host, device);
        AssertClose(host, two);

        static Dictionary<string, float[]> After(bool onHost, int replicas)
        {
            using Pretrainer trainer = TinyPretraining.Trainer(TinyPretraining.Options(replicas), onHost: onHost);
            TinyPretraining.Train(trainer, 5);
            return TinyPretraining.Snapshot(trainer);
        }

        static void AssertClose(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual)
        {
            float difference = expected.Max(pair => pair.Value.Zip(actual[pair.Key]).Max(values => Math.Abs(values.First - values.Second)));
            Assert.InRange(difference, 0, 1e-4f);
        }
    }

    [Fact]
    public void A_step_that_diverged_changes_nothing_and_is_named_when_it_is_read()
    {
        using Pretrainer trainer = TinyPretraining.Trainer(onHost: false);
        TinyPretraining.Train(trainer, 3);
        Tensor weight = trainer.Model.Parameters.Value("discriminator.discriminator_predictions.dense.weight");
        using Tensor good = weight.clone();
        Dictionary<string, float[]> before = TinyPretraining.Snapshot(trainer);
        using (no_grad())
        {
            weight.fill_(float.NaN);
        }

        PendingStep bad = Begin(trainer);
        using (no_grad())
        {
            weight.copy_(good);
        }

        Begin(trainer).Dispose(); // the batch would be well now, but training is over
        PermanentException stopped = Assert.Throws<PermanentException>(() => trainer.Finish(bad));
        Assert.Contains("step 3", stopped.Message, StringComparison.Ordinal);
        AssertSameBits(before, TinyPretraining.Snapshot(trainer));
    }

    [Fact]
    public void A_loop_that_prepares_ahead_and_reads_seldom_gives_the_same_bits()
    {
        PretrainOptions options = TinyPretraining.Options() with { LogSteps = 7 };
        using Pretrainer straight = TinyPretraining.Trainer(options, onHost: false), ahead = TinyPretraining.Trainer(options, onHost: false);
        TinyPretraining.Train(straight, options.Steps);
        Assert.True(ahead.RunsBesideHost);
        var reporter = new RecordingReporter();
        var checkpoints = new CheckpointWriter(folder, keep: 0);
        new PretrainLoop(ahead, options, 7, step => TinyPretraining.Batch(step), heldOut: null, checkpoints, reporter).Run(CancellationToken.None);
        AssertSameBits(TinyPretraining.Snapshot(straight), TinyPretraining.Snapshot(ahead));
        Assert.Equal([7, 14, 20], reporter.Metrics.Where(metric => metric.Name == "train/loss").Select(metric => metric.Step));
        Assert.Equal([10], reporter.Checkpoints.Select(checkpoint => checkpoint.Step));
    }

    [Fact]
    public void What_preparing_ahead_throws_reaches_the_step_it_was_for()
    {
        using Pretrainer trainer = TinyPretraining.Trainer();
        using var steps = new StepPrefetch(Prepare, first: 0, end: 4, ahead: true);
        Assert.Equal([0L, 1L], [Take(), Take()]);
        Assert.Equal("no step 2", Assert.Throws<PermanentException>(() => Take()).Message);

        PreparedStep Prepare(long step) => step == 2 ? throw new PermanentException("no step 2") : trainer.Prepare(TinyPretraining.Batch(step), step);

        long Take()
        {
            using PreparedStep step = steps.Take();
            return step.Step;
        }
    }

    [Theory]
    [InlineData("electra")]
    [InlineData("all-tokens-mlm")]
    [InlineData("electric")]
    public void In_bfloat16_losses_stay_close_and_parameters_stay_float32(string objective)
    {
        Assert.Equal(Losses("float32").Select(loss => 1.0), Losses("bfloat16").Zip(Losses("float32"), (low, full) => Math.Round(low / full, 2)));

        double[] Losses(string precision)
        {
            PretrainOptions options = TinyPretraining.Options() with { Objective = objective, Precision = precision };
            using Pretrainer trainer = TinyPretraining.Trainer(options, TinyPretraining.Config(parts: PretrainingObjectives.PartsOf(objective)));
            Assert.Equal(precision == "float32" ? ScalarType.Float32 : ScalarType.BFloat16, trainer.Model.Parameters.ProductType);
            double[] losses = [.. Enumerable.Range(0, 10).Select(step => trainer.Train(TinyPretraining.Batch(step)).Loss)];
            Assert.Equal(ScalarType.Float32, trainer.Model.Parameters.Values.dtype);
            Assert.Equal(ScalarType.Float32, trainer.Model.Parameters.Gradients.dtype);
            return losses;
        }
    }

    [Fact]
    public void Bfloat16_changes_the_result_and_goes_on_from_a_checkpoint_with_the_same_bits()
    {
        PretrainOptions options = TinyPretraining.Options(replicas: 2) with { Precision = "bfloat16" };
        using Pretrainer straight = Make(options), full = Make(options with { Precision = "float32" }), first = Make(options), second = Make(options);
        TinyPretraining.Train(straight, 8);
        TinyPretraining.Train(full, 8);
        Assert.NotEqual(TinyPretraining.Snapshot(full).First().Value, TinyPretraining.Snapshot(straight).First().Value);

        TinyPretraining.Train(first, 4);
        string path = Path.Combine(folder, "state.safetensors");
        SafeTensors.Write(path, first.State());
        using (SafeTensorsFile file = SafeTensorsFile.Open(path))
        {
            second.Restore(4, file);
        }

        TinyPretraining.Train(second, 4);
        AssertSameBits(TinyPretraining.Snapshot(straight), TinyPretraining.Snapshot(second));

        static Pretrainer Make(PretrainOptions options) => TinyPretraining.Trainer(options, TinyPretraining.Config(dropout: 0.1));
    }

    private static PendingStep Begin(Pretrainer trainer)
    {
        using PreparedStep prepared = trainer.Prepare(TinyPretraining.Batch(trainer.Step), trainer.Step);
        return trainer.Begin(prepared);
    }

    private static void AssertSameBits(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual) =>
        Assert.All(expected, pair => Assert.True(pair.Value.AsSpan().SequenceEqual(actual[pair.Key]), $"{pair.Key} differs"));
}
