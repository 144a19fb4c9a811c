using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

/// <summary>Both models as one encoder with two heads.</summary>
public sealed class TiedEncodersTests
{
    public TiedEncodersTests() => set_num_threads(1);

    private static ElectraConfig Tied =>
        TinyPretraining.Config() with
        {
            Generator = TinyPretraining.Config().Discriminator,
            TieEncoders = true,
        };

    [Fact]
    public void The_encoder_is_stored_once_and_both_exports_hold_it()
    {
        using Pretrainer trainer = TinyPretraining.Trainer(config: Tied);
        TinyPretraining.Train(trainer, 3);
        using var scope = NewDisposeScope();
        var discriminator = Encoder(trainer.Model.State(trainer.Model.DetectionNames()));
        var generator = Encoder(trainer.Model.State(trainer.Model.GeneratorNames()));
        long untied = ElectraPretrainingModel
            .Describe(Tied with { TieEncoders = false })
            .Slots.Sum(slot => slot.Shape.Aggregate(1L, (size, part) => size * part));
        long tied = trainer.Model.Parameters.Layout.Slots.Sum(slot => slot.Shape.Aggregate(1L, (size, part) => size * part));

        Assert.True(tied < untied);
        Assert.NotEmpty(discriminator);
        Assert.Equal(discriminator.Keys.Order(), generator.Keys.Order());
        Assert.All(discriminator, pair => Assert.Equal(pair.Value, generator[pair.Key]));
    }

    [Fact]
    public void Both_losses_move_the_encoder()
    {
        var both = After(TinyPretraining.Options());
        Assert.NotEqual(both, After(TinyPretraining.Options() with { GeneratorWeight = 0 }));
        Assert.NotEqual(both, After(TinyPretraining.Options() with { DiscriminatorWeight = 0 }));

        static float[] After(PretrainOptions options)
        {
            using Pretrainer trainer = TinyPretraining.Trainer(options, Tied);
            TinyPretraining.Train(trainer, 3);
            using var scope = NewDisposeScope();
            return Encoder(trainer.Model.State(trainer.Model.DetectionNames()))
                .OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .First(pair => pair.Key.Contains("encoder", StringComparison.Ordinal))
                .Value;
        }
    }

    [Fact]
    public void Encoders_of_two_sizes_cannot_be_tied()
    {
        var error = Assert.Throws<PermanentException>(() => (TinyPretraining.Config() with { TieEncoders = true }).Validate());
        Assert.Contains("GeneratorSize", error.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, float[]> Encoder(IReadOnlyList<(string Name, Tensor Value)> state) =>
        state
            .Where(pair => pair.Name.StartsWith("electra.", StringComparison.Ordinal))
            .ToDictionary(pair => pair.Name, pair => pair.Value.contiguous().data<float>().ToArray());
}
