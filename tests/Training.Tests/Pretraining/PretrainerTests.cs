using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

public sealed class PretrainerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-pretrain-").FullName;

    public PretrainerTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("normal")]
    [InlineData("scaled")]
    public void The_first_loss_is_that_of_knowing_nothing(string initialization)
    {
        using Pretrainer trainer = TinyPretraining.Trainer(config: TinyPretraining.Config(initialization: initialization));
        double expected = Math.Log(TinyPretraining.Vocabulary) + (50 * Math.Log(2));
        Assert.Equal(expected, trainer.Train(TinyPretraining.Batch(0)).Loss, expected * 0.02);
    }

    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(1, 0.1)]
    [InlineData(2, 0.1)]
    public void Going_on_from_a_checkpoint_gives_the_same_bits_as_never_stopping(int replicas, double dropout)
    {
        using Pretrainer straight = Make();
        TinyPretraining.Train(straight, 20);

        using Pretrainer first = Make();
        RunLoop(first, steps: 10);
        using Pretrainer second = Make();
        using (Checkpoint checkpoint = CheckpointReader.OpenNewest(folder, Assert.Fail)!)
        {
            Assert.Equal(10, checkpoint.State.Step);
            second.Restore(checkpoint.State.Step, checkpoint.Tensors);
        }

        TinyPretraining.Train(second, 10);
        AssertSameBits(TinyPretraining.Snapshot(straight), TinyPretraining.Snapshot(second));

        Pretrainer Make() => TinyPretraining.Trainer(TinyPretraining.Options(replicas), TinyPretraining.Config(dropout));
    }

    [Fact]
    public void What_is_adopted_from_a_checkpoint_is_parameters_and_moments()
    {
        using Pretrainer first = TinyPretraining.Trainer(seed: 1),
            second = TinyPretraining.Trainer(seed: 2);
        TinyPretraining.Train(first, 4);
        string path = Path.Combine(folder, "state.safetensors");
        SafeTensors.Write(path, first.State());
        using (SafeTensorsFile file = SafeTensorsFile.Open(path))
        {
            Assert.Equal(first.Model.Parameters.Layout.Slots.Length, second.Adopt(file).Count);
        }

        Assert.Equal(0, second.Step); // steps and learning rate start anew
        AssertSameBits(TinyPretraining.Snapshot(first), TinyPretraining.Snapshot(second));
    }

    [Fact]
    public void Two_replicas_give_the_same_bits_each_time_and_nearly_those_of_one()
    {
        Dictionary<string, float[]> one = After(1),
            two = After(2),
            again = After(2);
        AssertSameBits(two, again);
        float difference = one.Max(pair => pair.Value.Zip(two[pair.Key]).Max(values => Math.Abs(values.First - values.Second)));
        Assert.InRange(difference, 1e-12f, 1e-3f); // the sums are grouped differently: 0 would mean that the second replica did nothing

        static Dictionary<string, float[]> After(int replicas)
        {
            using Pretrainer trainer = TinyPretraining.Trainer(TinyPretraining.Options(replicas));
            TinyPretraining.Train(trainer, 5);
            return TinyPretraining.Snapshot(trainer);
        }
    }

    [Fact]
    public void Another_seed_gives_another_model()
    {
        using Pretrainer first = TinyPretraining.Trainer(seed: 1),
            second = TinyPretraining.Trainer(seed: 2);
        Assert.NotEqual(TinyPretraining.Snapshot(first).First().Value, TinyPretraining.Snapshot(second).First().Value);
    }

    [Fact]
    public void The_losses_fall_on_text_with_a_rule()
    {
        PretrainOptions options = TinyPretraining.Options() with { Steps = 300, LearningRate = 5e-3, WarmupSteps = 20, MicroBatchSize = 8 };
        using Pretrainer trainer = TinyPretraining.Trainer(options, TinyPretraining.Config(initialization: "scaled"));
        ObjectiveSums early = default,
            late = default;
        for (int step = 0; step < options.Steps; step++)
        {
            ObjectiveSums sums = trainer.Train(TinyPretraining.Batch(step)).Sums;
            early += step < 20 ? sums : default;
            late += step >= options.Steps - 20 ? sums : default;
        }

        Assert.InRange(late.MeanGeneratorLoss, 0, early.MeanGeneratorLoss - 0.5);
        Assert.InRange(late.MeanMainLoss, 0, early.MeanMainLoss - 0.02);
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_before_the_update()
    {
        using Pretrainer trainer = TinyPretraining.Trainer();
        TinyPretraining.Train(trainer, 3);
        using (no_grad())
        {
            trainer.Model.Parameters.Value("discriminator.discriminator_predictions.dense.weight").fill_(float.NaN);
        }

        Dictionary<string, float[]> before = TinyPretraining.Snapshot(trainer);
        PermanentException stopped = Assert.Throws<PermanentException>(() => trainer.Train(TinyPretraining.Batch(3)));
        Assert.Contains("step 3", stopped.Message, StringComparison.Ordinal);
        AssertSameBits(before, TinyPretraining.Snapshot(trainer));
    }

    [Fact]
    public void Being_asked_to_stop_writes_a_checkpoint_of_the_last_step()
    {
        using Pretrainer trainer = TinyPretraining.Trainer();
        using var source = new CancellationTokenSource();
        var reporter = new RecordingReporter { OnProgress = done => Cancel(done, source) };
        PretrainLoop loop = Loop(trainer, TinyPretraining.Options() with { CheckpointSteps = 100 }, reporter);
        Assert.Throws<OperationCanceledException>(() => loop.Run(source.Token));
        (long step, string path) = Assert.Single(reporter.Checkpoints);
        Assert.Equal(15, step);
        using Checkpoint checkpoint = CheckpointReader.Open(path);
        Assert.Equal(15 * TinyPretraining.BatchSize, checkpoint.State.DataPosition);

        static void Cancel(long done, CancellationTokenSource source)
        {
            if (done == 15)
            {
                source.Cancel();
            }
        }
    }

    [Fact]
    public void A_run_reports_curves_evaluations_and_checkpoints()
    {
        using Pretrainer trainer = TinyPretraining.Trainer();
        var reporter = new RecordingReporter();
        EvaluateResult result = Loop(trainer, TinyPretraining.Options(), reporter).Run(CancellationToken.None)!;
        Assert.Equal([5, 10, 15, 20], reporter.Metrics.Where(metric => metric.Name == "train/loss").Select(metric => metric.Step));
        Assert.Equal([10, 20], reporter.Metrics.Where(metric => metric.Name == "heldout/discriminator_auc").Select(metric => metric.Step));
        Assert.Equal([10], reporter.Checkpoints.Select(checkpoint => checkpoint.Step));
        Assert.Equal(20, reporter.LastProgress);
        Assert.All(reporter.Metrics, metric => Assert.True(double.IsFinite(metric.Value), metric.ToString()));
        Assert.InRange(result.UnigramEntropy, 3, Math.Log(TinyPretraining.Vocabulary - 5) + 1e-9);
        Assert.InRange(result.ReplacedShare!.Value, 0.05, 0.2);
    }

    [Fact]
    public void Its_figures_are_those_of_the_tokens()
    {
        using Pretrainer trainer = TinyPretraining.Trainer();
        EvaluateResult result = HeldOut().Run(trainer.Objectives, trainer.Threads, ModelParts.Electra);
        ExampleBatch[] batches = [.. Enumerable.Range(1_000, 5).Select(step => TinyPretraining.Batch(step))];
        DynamicMasking masking = TinyPretraining.Options().Masking(TinyPretraining.Ids, TinyPretraining.Vocabulary);
        int masked = batches
            .Index()
            .Sum(item =>
                masking.Mask(item.Item.InputIds, item.Item.Lengths, item.Item.SecondSegmentStarts, seed: 3, item.Index).Positions.Length
            );
        int tokens = batches.Sum(batch => batch.Lengths.Sum());
        Assert.Equal(tokens, result.Tokens);
        Assert.Equal(1 - (result.ReplacedShare!.Value * tokens / masked), result.SampledAccuracy!.Value, 1e-9);

        int[] words =
        [
            .. batches.SelectMany(batch =>
                Enumerable
                    .Range(0, batch.BatchSize)
                    .SelectMany(b => batch.InputIds[((b * batch.SequenceLength) + 1)..((b * batch.SequenceLength) + batch.Lengths[b] - 1)])
            ),
        ]; // not [CLS] and [SEP]
        double entropy = words
            .GroupBy(word => word)
            .Select(group => group.Count() / (double)words.Length)
            .Sum(share => -share * Math.Log(share));
        Assert.Equal(entropy, result.UnigramEntropy, 1e-9);
    }

    [Fact]
    public void Evaluation_does_not_depend_on_threads()
    {
        Assert.Equal(Evaluate(1), Evaluate(2));

        static EvaluateResult Evaluate(int replicas)
        {
            using Pretrainer trainer = TinyPretraining.Trainer(TinyPretraining.Options(replicas));
            return HeldOut().Run(trainer.Objectives, trainer.Threads, ModelParts.Electra);
        }
    }

    private static void AssertSameBits(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual)
    {
        Assert.Equal(expected.Keys, actual.Keys);
        Assert.All(
            expected,
            pair => Assert.True(pair.Value.AsSpan().SequenceEqual(actual[pair.Key]) || pair.Value.Any(float.IsNaN), $"{pair.Key} differs")
        );
    }

    private static HeldOutEvaluator HeldOut()
    {
        PretrainOptions options = TinyPretraining.Options();
        DynamicMasking masking = options.Masking(TinyPretraining.Ids, TinyPretraining.Vocabulary);
        return new HeldOutEvaluator(
            [.. Enumerable.Range(1_000, 5).Select(step => TinyPretraining.Batch(step))],
            masking,
            TinyPretraining.Ids,
            options,
            seed: 3
        );
    }

    private void RunLoop(Pretrainer trainer, int steps)
    {
        using var source = new CancellationTokenSource();
        var reporter = new RecordingReporter { OnProgress = done => CancelAt(done, steps, source) };
        Assert.Throws<OperationCanceledException>(() =>
            Loop(trainer, TinyPretraining.Options(trainer.Threads.Count), reporter).Run(source.Token)
        );

        static void CancelAt(long done, int steps, CancellationTokenSource source)
        {
            if (done == steps)
            {
                source.Cancel();
            }
        }
    }

    private PretrainLoop Loop(Pretrainer trainer, PretrainOptions options, RecordingReporter reporter) =>
        new(trainer, options, seed: 7, step => TinyPretraining.Batch(step), HeldOut(), new CheckpointWriter(folder, keep: 2), reporter);
}
