using System.Text.RegularExpressions;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

/// <summary>What devices of their own do, as far as it can be seen without one.</summary>
public sealed partial class DeviceStepTests : IDisposable
{
    /// <summary>
    /// Who may read a tensor's values, which makes the host wait for the device, and why that is not within a step there.
    /// </summary>
    private static readonly Dictionary<string, string> Readers = new()
    {
        ["Objective/TokenReplacement.cs"] = "draws tokens on the host; devices draw their own",
        ["Objective/ElectraLoss.cs"] = "scores held-out text",
        ["Objective/PendingSums.cs"] = "the sums of steps, read when a curve gets a point",
        ["Model/DropoutStream.cs"] = "makes the host's masks; devices make their own",
        ["Optimization/AdamW.cs"] = "updates the host's parameters in place",
        ["Pretraining/ElectraModelReader.cs"] = "compares weights when a model is read",
        ["Pretraining/PendingStep.cs"] = "a step's figures, read when a curve gets a point",
    };

    private readonly string folder = Directory.CreateTempSubdirectory("electra-device-").FullName;

    public DeviceStepTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // No device is at hand here that fails when it is read, so the rule is held in the sources.
    [Fact]
    public void Tensors_are_read_where_no_step_of_a_device_passes()
    {
        string root = Path.Combine(SharedData.RepositoryRoot, "Training");
        IEnumerable<string> readers =
            from part in new[] { "Model", "Objective", "Optimization", "Pretraining" }
            from file in Directory.EnumerateFiles(Path.Combine(root, part), "*.cs", SearchOption.AllDirectories)
            where ReadsValues().IsMatch(File.ReadAllText(file))
            select Path.GetRelativePath(root, file);
        Assert.Equal(Readers.Keys.Order(StringComparer.Ordinal), readers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_way_of_other_devices_gives_nearly_the_hosts_parameters()
    {
        Dictionary<string, float[]> host = After(onHost: true, replicas: 1),
            device = After(onHost: false, replicas: 1);
        Dictionary<string, float[]> two = After(onHost: false, replicas: 2);
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
        using Pretrainer straight = TinyPretraining.Trainer(options, onHost: false);
        using Pretrainer ahead = TinyPretraining.Trainer(options, onHost: false);
        TinyPretraining.Train(straight, options.Steps);
        Assert.True(ahead.RunsBesideHost);
        var reporter = new RecordingReporter();
        var checkpoints = new CheckpointWriter(folder, keep: 0);
        new PretrainLoop(ahead, options, 7, step => TinyPretraining.Batch(step), heldOut: null, checkpoints, reporter).Run(
            CancellationToken.None
        );
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

        PreparedStep Prepare(long step) =>
            step == 2 ? throw new PermanentException("no step 2") : trainer.Prepare(TinyPretraining.Batch(step), step);

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
        Assert.Equal(
            Losses("float32").Select(loss => 1.0),
            Losses("bfloat16").Zip(Losses("float32"), (low, full) => Math.Round(low / full, 2))
        );

        double[] Losses(string precision)
        {
            PretrainOptions options = TinyPretraining.Options() with { Objective = objective, Precision = precision };
            using Pretrainer trainer = TinyPretraining.Trainer(
                options,
                TinyPretraining.Config(parts: PretrainingObjectives.PartsOf(objective))
            );
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
        using Pretrainer straight = Make(options),
            full = Make(options with { Precision = "float32" }),
            first = Make(options),
            second = Make(options);
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

    [GeneratedRegex(@"\.(item<|cpu\(\)|data<|bytes\b|nonzero\(|masked_select\(|ToSingle\(|ToDouble\(|ToInt64\(|ToBoolean\()")]
    private static partial Regex ReadsValues();

    private static PendingStep Begin(Pretrainer trainer)
    {
        using PreparedStep prepared = trainer.Prepare(TinyPretraining.Batch(trainer.Step), trainer.Step);
        return trainer.Begin(prepared);
    }

    private static void AssertSameBits(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual) =>
        Assert.All(expected, pair => Assert.True(pair.Value.AsSpan().SequenceEqual(actual[pair.Key]), $"{pair.Key} differs"));
}
