using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Objective;

/// <summary>What every objective must do, through the trainer.</summary>
public sealed class ObjectivesTests
{
    public ObjectivesTests() => set_num_threads(1);

    public static TheoryData<string> Names => [.. PretrainingObjectives.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Its_loss_falls_on_text_with_a_rule(string name)
    {
        PretrainOptions options = Options(name) with
        {
            Steps = 120,
            LearningRate = 5e-3,
            WarmupSteps = 20,
            MicroBatchSize = 8,
            DiscriminatorWeight = 10,
        };
        using Pretrainer trainer = Trainer(name, options, initialization: "scaled");
        double early = 0,
            late = 0;
        for (int step = 0; step < options.Steps; step++)
        {
            double loss = trainer.Train(TinyPretraining.Batch(step)).Loss;
            early += step < 20 ? loss : 0;
            late += step >= options.Steps - 20 ? loss : 0;
        }

        Assert.InRange(late, 0, early * 0.97);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Micro_batches_and_recomputed_activations_do_not_change_a_step(string name)
    {
        Dictionary<string, float[]> whole = After(Options(name) with { MicroBatchSize = TinyPretraining.BatchSize }, dropout: 0);
        Dictionary<string, float[]> parts = After(Options(name) with { MicroBatchSize = 3 }, dropout: 0);
        Assert.InRange(Difference(whole, parts), 1e-12f, 1e-3f); // sums are grouped differently: 0 would mean that there were no parts

        Dictionary<string, float[]> kept = After(Options(name), dropout: 0.1),
            recomputed = After(Options(name) with { GradientCheckpointing = true }, 0.1);
        Assert.Equal(0, Difference(kept, recomputed));

        Dictionary<string, float[]> After(PretrainOptions options, double dropout)
        {
            using Pretrainer trainer = Trainer(name, options, dropout);
            TinyPretraining.Train(trainer, 3);
            return TinyPretraining.Snapshot(trainer);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Losses_of_a_batch_are_the_sums_of_its_sequences_whatever_their_company_and_padding(string name)
    {
        PretrainOptions options = Options(name);
        using Pretrainer trainer = Trainer(name, options);
        ExampleBatch batch = TinyPretraining.Batch(3);
        MaskedBatch whole = options
            .Masking(TinyPretraining.Ids, TinyPretraining.Vocabulary)
            .Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, seed: 1, step: 3);
        ObjectiveSums together = Measure(whole),
            alone = default;
        for (int b = 0; b < batch.BatchSize; b++)
        {
            alone += Measure(whole.Slice(b, 1));
        }

        Assert.Equal(together.GeneratorLoss, alone.GeneratorLoss, 1e-3);
        Assert.Equal(together.MainLoss, alone.MainLoss, 1e-3);

        // All counts: draws are each sequence's own.
        Assert.Equal(together with { GeneratorLoss = 0, MainLoss = 0 }, alone with { GeneratorLoss = 0, MainLoss = 0 });

        ObjectiveSums Measure(MaskedBatch part) =>
            trainer
                .Objectives[0]
                .Evaluate(part, new TokenReplacement(part, 1, 3, options.Temperature, options.DisallowCorrect), (_, _) => { });
    }

    [Theory]
    [InlineData("electra", "generator_loss", "discriminator_loss", "discriminator_auc", "sampled_accuracy")]
    [InlineData("electra-15", "generator_loss", "discriminator_loss", "discriminator_auc")]
    [InlineData("mlm", "language_model_loss", "language_model_accuracy")]
    [InlineData("replace-mlm", "generator_loss", "language_model_loss", "replaced_share")]
    [InlineData("all-tokens-mlm", "generator_loss", "language_model_loss", "discriminator_auc")]
    [InlineData("electric", "generator_loss", "discriminator_loss", "discriminator_auc")]
    public void Its_evaluation_has_the_figures_of_its_parts_and_no_others(string name, params string[] expected)
    {
        PretrainOptions options = Options(name);
        using Pretrainer trainer = Trainer(name, options);
        var evaluator = new HeldOutEvaluator(
            [TinyPretraining.Batch(1_000)],
            options.Masking(TinyPretraining.Ids, TinyPretraining.Vocabulary),
            TinyPretraining.Ids,
            options,
            seed: 3
        );
        IReadOnlyList<(string Name, double Value)> metrics = evaluator
            .Run(trainer.Objectives, trainer.Threads, trainer.Model.Config.Parts)
            .Metrics();
        Assert.All(metrics, metric => Assert.True(double.IsFinite(metric.Value), metric.Name));
        string[] names = [.. metrics.Select(metric => metric.Name["heldout/".Length..])];
        Assert.Subset(names.ToHashSet(), expected.ToHashSet());
        Assert.Equal(expected.Any(figure => figure.StartsWith("generator", StringComparison.Ordinal)), names.Contains("generator_loss"));
        Assert.Equal(
            expected.Any(figure => figure.StartsWith("language", StringComparison.Ordinal)),
            names.Contains("language_model_accuracy")
        );
        Assert.Equal(
            expected.Any(figure => figure.StartsWith("discriminator", StringComparison.Ordinal)),
            names.Contains("discriminator_auc")
        );
    }

    [Theory]
    [InlineData("electra", 2, 7)]
    [InlineData("electra-15", 2, 7)]
    [InlineData("electric", 2, 7)]
    [InlineData("replace-mlm", 2, 1)]
    [InlineData("all-tokens-mlm", 2, 1)]
    public void Losses_are_means_weighed_as_asked(string name, double generator, double main)
    {
        PretrainOptions options = Options(name) with { GeneratorWeight = 2, DiscriminatorWeight = 7 };
        using Pretrainer trainer = Trainer(name, options);
        StepMetrics metrics = trainer.Train(TinyPretraining.Batch(0));
        double expected = (generator * metrics.Sums.MeanGeneratorLoss) + (main * metrics.Sums.MeanMainLoss);
        Assert.Equal(expected, metrics.Loss, expected * 1e-9);
    }

    [Theory]
    [InlineData("electra")]
    [InlineData("electra-15")]
    [InlineData("all-tokens-mlm")]
    public void What_is_detected_is_scored_at_real_tokens_alone(string name)
    {
        PretrainOptions options = Options(name);
        using Pretrainer trainer = Trainer(name, options);
        ExampleBatch batch = TinyPretraining.Batch(3);
        MaskedBatch masked = options
            .Masking(TinyPretraining.Ids, TinyPretraining.Vocabulary)
            .Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, seed: 1, step: 3);
        Assert.NotEqual(batch.InputIds.Length, masked.Tokens); // there is padding
        int scored = 0,
            replaced = 0;
        ObjectiveSums sums = trainer
            .Objectives[0]
            .Evaluate(
                masked,
                new TokenReplacement(masked, 1, 3, 1, disallowCorrect: true),
                (_, isReplaced) =>
                {
                    scored++;
                    replaced += isReplaced ? 1 : 0;
                }
            );
        Assert.Equal(name == "electra-15" ? masked.Positions.Length : masked.Tokens, scored);
        Assert.Equal((masked.Positions.Length, masked.Positions.Length), (replaced, sums.Replaced));
    }

    [Fact]
    public void A_masked_language_model_masks_as_BERT_does()
    {
        int[] text = [.. Enumerable.Range(0, 200_000).Select(i => i % 100 == 0 ? 2 : 5 + (i % 90))],
            lengths = [.. Enumerable.Repeat(100, 2_000)];
        MaskedBatch batch = new PretrainOptions { Objective = "mlm" }
            .Masking(TinyPretraining.Ids, 10_000)
            .Mask(text, lengths, lengths, 1, 0);
        double chosen = batch.Positions.Length;
        Assert.InRange(batch.Positions.Count(p => batch.MaskedIds[p] == TinyPretraining.Ids.Mask) / chosen, 0.79, 0.81); // 30,000 draws
        Assert.InRange(batch.Positions.Count(p => batch.MaskedIds[p] == batch.OriginalIds[p]) / chosen, 0.095, 0.105);
        Assert.True(batch.MaskedIds.Max() > 9_900); // random tokens come from the whole vocabulary
    }

    [Fact]
    public void Each_side_of_a_two_tower_generator_sees_its_own_side_only()
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using Pretrainer trainer = Trainer("electric", Options("electric"));
        int[] ids = [2, 10, 11, 12, 13, 14, 15, 3, 0, 0],
            changed = [.. ids];
        changed[4] = 77;
        float[][] before = States(ids),
            after = States(changed);
        int half = before[0].Length / 2;
        Assert.Equal(before[4], after[4]); // a token is not seen where it is predicted
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal(i <= 4, before[i].AsSpan(..half).SequenceEqual(after[i].AsSpan(..half))); // read from the left
            Assert.Equal(i >= 4, before[i].AsSpan(half..).SequenceEqual(after[i].AsSpan(half..))); // read from the right
        }

        float[][] States(int[] tokens)
        {
            Tensor states = trainer.Model.Towers.Forward(EncoderInput.Create(tokens, [8], [8], CPU), dropout: null);
            return [.. Enumerable.Range(0, tokens.Length).Select(i => states[i].data<float>().ToArray())];
        }
    }

    [Theory]
    [InlineData("electricc", null, null, "electra-15")]
    [InlineData("electric", 0.5, null, "Temperature")]
    [InlineData("mlm", null, 0.3, "MaskRandomProbability")]
    public void Options_that_contradict_each_other_are_refused(string name, double? temperature, double? random, string named)
    {
        PretrainOptions options = Options(name) with { Temperature = temperature ?? 1, MaskRandomProbability = random };
        PermanentException refused = Assert.Throws<PermanentException>(() => TinyPretraining.Trainer(options).Dispose());
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }

    private static PretrainOptions Options(string name) => TinyPretraining.Options() with { Objective = name };

    private static Pretrainer Trainer(string name, PretrainOptions options, double dropout = 0, string initialization = "normal") =>
        TinyPretraining.Trainer(options, TinyPretraining.Config(dropout, initialization, PretrainingObjectives.PartsOf(name)));

    private static float Difference(Dictionary<string, float[]> one, Dictionary<string, float[]> other) =>
        one.Max(pair => pair.Value.Zip(other[pair.Key]).Max(values => Math.Abs(values.First - values.Second)));
}
