using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Model;

/// <summary>Who moves whose embeddings, and which networks there are.</summary>
public sealed class EmbeddingSharingTests
{
    private static readonly LossScale Both = new(1, 1),
        GeneratorOnly = new(1, 0),
        DetectionOnly = new(0, 1);

    public EmbeddingSharingTests() => set_num_threads(1);

    [Theory]
    [InlineData("untied")]
    [InlineData("disentangled")]
    public void Neither_loss_reaches_the_others_embeddings(string sharing)
    {
        using ElectraPretrainingModel model = Model(Config(sharing));
        Assert.All(Moved(model, DetectionOnly), name => Assert.StartsWith("discriminator.", name, StringComparison.Ordinal));
        Assert.All(Moved(model, GeneratorOnly), name => Assert.StartsWith("generator.", name, StringComparison.Ordinal));
        string[] moved = Moved(model, Both);
        Assert.Contains("discriminator.electra.embeddings.word_embeddings.weight", moved);
        Assert.Contains("generator.electra.embeddings.word_embeddings.weight", moved);
    }

    [Fact]
    public void Disentangled_embeddings_start_as_the_generators_and_are_exported_as_sums()
    {
        using var scope = NewDisposeScope();
        using Pretrainer trainer = TinyPretraining.Trainer(config: Config("disentangled"));
        Assert.Equal(Words(trainer.Model.GeneratorNames()), Words(trainer.Model.DetectionNames()));
        TinyPretraining.Train(trainer, 5);
        float[] generator = Words(trainer.Model.GeneratorNames()),
            difference = trainer.Model.Parameters.Value("discriminator.electra.embeddings.word_embeddings.weight").data<float>().ToArray();
        Assert.True(difference.Max(Math.Abs) > 1e-4);
        Assert.Equal(generator.Zip(difference, (own, other) => own + other), Words(trainer.Model.DetectionNames()));

        float[] Words(IEnumerable<(string Name, string Parameter)> names) =>
            trainer
                .Model.State(names)
                .Single(pair => pair.Name == "electra.embeddings.word_embeddings.weight")
                .Value.contiguous()
                .data<float>()
                .ToArray();
    }

    [Fact]
    public void Untied_embeddings_of_the_generator_are_as_wide_as_its_states()
    {
        ElectraConfig config = new ModelOptions { Preset = "small", EmbeddingSharing = "untied" }.Resolve(1_000);
        ParameterLayout layout = ElectraPretrainingModel.Describe(config);
        Assert.Equal([1_000, 64], layout.ByName["generator.electra.embeddings.word_embeddings.weight"].Shape);
        Assert.Equal([64, 64], layout.ByName["generator.generator_predictions.dense.weight"].Shape);
        Assert.DoesNotContain("generator.electra.embeddings_project.weight", layout.ByName.Keys);
        Assert.Equal([256, 128], layout.ByName["discriminator.electra.embeddings_project.weight"].Shape);
    }

    // 12 layers of 256 with 4 heads: shares of them, never less than one, the heads dividing the width.
    [Theory]
    [InlineData(null, null, 12, 64, 256, 1)]
    [InlineData(0.5, null, 12, 128, 512, 2)]
    [InlineData(1.0, 0.5, 6, 256, 1_024, 4)]
    [InlineData(0.25, 0.01, 1, 64, 256, 1)]
    public void The_generator_is_a_share_of_the_discriminator(double? size, double? depth, int layers, int hidden, int inner, int heads)
    {
        EncoderConfig generator = new ModelOptions
        {
            Preset = "small",
            GeneratorSize = size,
            GeneratorLayers = depth,
        }
            .Resolve(1_000)
            .Generator;
        Assert.Equal(
            new EncoderConfig
            {
                Layers = layers,
                HiddenSize = hidden,
                IntermediateSize = inner,
                AttentionHeads = heads,
            },
            generator
        );
    }

    [Fact]
    public void A_uniform_generator_has_no_parameters_and_draws_all_tokens_alike()
    {
        ElectraConfig config = TinyPretraining.Config(parts: ModelParts.Electra with { Generator = "none" });
        using ElectraPretrainingModel model = Model(config);
        Assert.DoesNotContain(model.Parameters.Layout.Slots, slot => slot.Name.StartsWith("generator.", StringComparison.Ordinal));
        var counts = new CountingSampler();
        var objective = new ElectraObjective(model);
        ObjectiveSums sums = default;
        for (int step = 0; step < 150; step++)
        {
            MaskedBatch batch = Masked(step);
            counts.Inner = new TokenReplacement(batch, 1, step, 1, disallowCorrect: false);
            sums += objective.Evaluate(batch, counts, (_, _) => { });
        }

        Assert.Equal(Math.Log(TinyPretraining.Vocabulary), sums.MeanGeneratorLoss, 1e-6);
        double expected = counts.Drawn.Count / (double)TinyPretraining.Vocabulary;
        double chiSquared = Enumerable
            .Range(0, TinyPretraining.Vocabulary)
            .Sum(token => Math.Pow(counts.Drawn.Count(drawn => drawn == token) - expected, 2) / expected);
        Assert.InRange(chiSquared, 50, 165); // 100 degrees of freedom: 0.0001 quantile 55, 0.9999 quantile 161
        Assert.NotEmpty(Moved(model, DetectionOnly));
    }

    [Theory]
    [InlineData("tied", true, true, null)]
    [InlineData("untied", true, true, "EmbeddingSharing")]
    [InlineData("disentangled", false, false, "EmbeddingSharing")]
    [InlineData("half", false, true, "half")]
    public void Sharing_that_cannot_be_is_refused(string sharing, bool tieEncoders, bool hasGenerator, string? named)
    {
        ElectraConfig config = Config(sharing) with
        {
            TieEncoders = tieEncoders,
            Generator = TinyPretraining.Config().Discriminator,
            GeneratorEmbeddingSize = null,
            Parts = hasGenerator ? ModelParts.Electra : ModelParts.Electra with { Generator = "none" },
        };
        PermanentException? refused = (PermanentException?)Record.Exception(config.Validate);
        Assert.Equal(named is null, refused is null);
        Assert.Contains(named ?? "", refused?.Message ?? "", StringComparison.Ordinal);
    }

    private static ElectraConfig Config(string sharing) =>
        TinyPretraining.Config() with
        {
            EmbeddingSharing = sharing,
            GeneratorEmbeddingSize = sharing == "untied" ? 12 : null,
        };

    private static ElectraPretrainingModel Model(ElectraConfig config)
    {
        var model = new ElectraPretrainingModel(config, CPU);
        model.Initialize(3);
        return model;
    }

    private static MaskedBatch Masked(int step)
    {
        ExampleBatch batch = TinyPretraining.Batch(step);
        return new PretrainOptions()
            .Masking(TinyPretraining.Ids, TinyPretraining.Vocabulary)
            .Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, seed: 1, step);
    }

    /// <summary>Names of the parameters that get a gradient.</summary>
    private static string[] Moved(ElectraPretrainingModel model, LossScale scale)
    {
        using var scope = NewDisposeScope();
        model.Parameters.Gradients.zero_();
        MaskedBatch batch = Masked(0);
        new ElectraObjective(model).Accumulate(batch, new TokenReplacement(batch, 1, 0, 1, false), scale, dropout: null);
        return
        [
            .. model
                .Parameters.Layout.Slots.Select(slot => slot.Name)
                .Where(name => model.Parameters.Gradient(name).abs().max().item<float>() > 0),
        ];
    }

    private sealed class CountingSampler : ITokenSampler
    {
        public ITokenSampler? Inner { get; set; }

        public List<long> Drawn { get; } = [];

        public Tensor Sample(Tensor logits, Tensor probabilities, int[] positions)
        {
            Tensor samples = Inner!.Sample(logits, probabilities, positions);
            Drawn.AddRange(samples.data<long>().ToArray());
            return samples;
        }
    }
}
