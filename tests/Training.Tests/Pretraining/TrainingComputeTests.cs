using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

public sealed class TrainingComputeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-compute-").FullName;

    public TrainingComputeTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("electra")]
    [InlineData("electra-15")]
    [InlineData("replace-mlm")]
    [InlineData("all-tokens-mlm")]
    [InlineData("mlm")]
    [InlineData("electric")]
    public void A_weight_costs_six_operations_each_time_a_token_passes_it(string objective)
    {
        PretrainOptions options = TinyPretraining.Options() with { Objective = objective };
        ElectraConfig config = TinyPretraining.Config(parts: PretrainingObjectives.PartsOf(objective));
        using Pretrainer trainer = TinyPretraining.Trainer(options, config);
        ObjectiveSums sums = trainer.Train(TinyPretraining.Batch(0)).Sums;
        Assert.Equal(TinyPretraining.Batch(0).Lengths.Sum(length => (long)length * length), sums.AttendedPairs);

        // From the parameters there are: all matrices but the tables of embeddings, which are looked up.
        double expected = trainer
            .Model.Parameters.Layout.Slots.Where(slot => slot.Decays && !slot.Name.Contains("embeddings.", StringComparison.Ordinal))
            .Sum(slot => 6.0 * slot.Length * Passes(slot.Name));
        double words = 6.0 * config.VocabularySize * config.EmbeddingSize;
        expected += config.Parts.HasGenerator ? words * sums.Masked : 0; // logits
        expected += config.Parts.Predicts ? words * sums.MainTokens : 0;
        int towers =
            objective == "electric" ? 2
            : config.Parts.HasGenerator ? 1
            : 0;
        int width =
            (config.Discriminator.HiddenSize * config.Discriminator.Layers)
            + (towers * config.Generator.HiddenSize * config.Generator.Layers);
        expected += 2 * 6.0 * width * sums.AttendedPairs; // scores, and what they weigh
        Assert.Equal(expected, TrainingCompute.Of(config, sums), expected * 1e-12);

        double Passes(string name) =>
            !name.Contains("generator_predictions", StringComparison.Ordinal) ? sums.Tokens
            : name.StartsWith("generator.", StringComparison.Ordinal) ? sums.Masked
            : sums.MainTokens;
    }

    [Fact]
    public void A_step_of_whole_sequences_is_what_its_sums_are()
    {
        ElectraConfig config = new ModelOptions().Resolve(30_522);
        var sums = new ObjectiveSums
        {
            Tokens = 4 * 128,
            AttendedPairs = 4 * 128 * 128,
            Masked = 76,
            MainTokens = 4 * 128,
        };
        Assert.Equal(TrainingCompute.Of(config, sums), TrainingCompute.OfStep(config, 4, 128, 76));
        Assert.Equal(70e6, TrainingCompute.OfStep(config, 4, 128, 76) / 512, 3e6); // ELECTRA-small
    }

    [Fact]
    public void Curves_tell_the_share_of_the_ceiling_beside_the_tokens_a_second()
    {
        using Pretrainer straight = TinyPretraining.Trainer(),
            looped = TinyPretraining.Trainer();
        ObjectiveSums sums = Enumerable
            .Range(0, 5)
            .Select(step => straight.Train(TinyPretraining.Batch(step)).Sums)
            .Aggregate((all, part) => all + part);
        double operationsPerToken = TrainingCompute.Of(straight.Model.Config, sums) / sums.Tokens;
        Dictionary<(string Name, long Step), double> told = Loop(looped, ceiling: 2e9);
        Assert.Equal(
            operationsPerToken / 2e9,
            told[("train/model_flops_utilization", 5)] / told[("train/tokens_per_second", 5)],
            operationsPerToken / 2e9 * 1e-9
        );
        Assert.Equal([5L, 10, 15, 20], told.Keys.Where(key => key.Name == "train/model_flops_utilization").Select(key => key.Step).Order());
    }

    [Fact]
    public void Measuring_the_ceiling_moves_no_bit_of_the_training()
    {
        ElectraConfig config = TinyPretraining.Config(dropout: 0.1);
        using Pretrainer measured = TinyPretraining.Trainer(TinyPretraining.Options(replicas: 2), config);
        using Pretrainer other = TinyPretraining.Trainer(TinyPretraining.Options(replicas: 2), config);
        var products = new MatrixProductCeiling(config, rows: 48, measured.Threads, CPU);
        products.Measure(rounds: 1, TimeSpan.FromSeconds(0.1));
        Assert.True(products.Best > 0);
        Assert.Matches(@"^\d+ x \d+ x \d+$", products.BestShape);
        TinyPretraining.Train(measured, 3);
        TinyPretraining.Train(other, 3);
        Assert.All(TinyPretraining.Snapshot(other), pair => Assert.Equal(pair.Value, TinyPretraining.Snapshot(measured)[pair.Key]));
    }

    [Fact]
    public void The_ceiling_is_the_best_of_the_models_shapes_and_of_the_square()
    {
        using var threads = new ReplicaThreads(1);
        var products = new MatrixProductCeiling(TinyPretraining.Config(), rows: 64, threads, CPU);
        products.Measure(rounds: 1, TimeSpan.MaxValue);
        Assert.True(products.BestOf768 > 0);
        Assert.True(products.Best >= products.BestOf768);
    }

    private Dictionary<(string Name, long Step), double> Loop(Pretrainer trainer, double ceiling)
    {
        var reporter = new RecordingReporter();
        new PretrainLoop(
            trainer,
            TinyPretraining.Options(),
            seed: 7,
            step => TinyPretraining.Batch(step),
            heldOut: null,
            new CheckpointWriter(folder),
            reporter,
            ceiling
        ).Run(CancellationToken.None);
        return reporter.Metrics.ToDictionary(metric => (metric.Name, metric.Step), metric => metric.Value);
    }
}
