using ElectraPipeline.Training.Model;
using Xunit;

namespace ElectraPipeline.Training.Tests.Model;

public sealed class ElectraModelTests
{
    private const int BertVocabulary = 30_522;

    // Figures: parameter counts of the released models' architectures.
    [Theory]
    [InlineData("small", 13_549_057, 4_620_026)]
    [InlineData("base", 109_483_009, 33_740_602)]
    [InlineData("large", 335_142_913, 51_295_290)]
    public void Presets_have_the_published_parameter_counts(string preset, long discriminator, long generator)
    {
        ParameterLayout layout = ElectraPretrainingModel.Describe(new ModelOptions { Preset = preset }.Resolve(BertVocabulary));
        long embeddings = Sum(slot => slot.Name.Contains("electra.embeddings.", StringComparison.Ordinal));
        Assert.Equal(discriminator, Sum(slot => slot.Name.StartsWith("discriminator.", StringComparison.Ordinal)));
        Assert.Equal(generator, embeddings + Sum(slot => slot.Name.StartsWith("generator.", StringComparison.Ordinal)));

        long Sum(Func<ParameterSlot, bool> counted) => layout.Slots.Where(counted).Sum(slot => slot.Length);
    }

    [Fact]
    public void Slots_do_not_overlap_and_decayed_ones_come_first()
    {
        ParameterLayout layout = ElectraPretrainingModel.Describe(new ModelOptions { Preset = "tiny", HiddenSize = 60 }.Resolve(101));
        for (int i = 1; i < layout.Slots.Length; i++)
        {
            Assert.True(layout.Slots[i].Offset >= layout.Slots[i - 1].Offset + layout.Slots[i - 1].Length);
            Assert.True(layout.Slots[i - 1].Decays || !layout.Slots[i].Decays);
        }

        Assert.True(layout.Length >= layout.Slots[^1].Offset + layout.Slots[^1].Length);
    }

    [Theory]
    [InlineData("tinny", null, null, "tinny")]
    [InlineData("tiny", 0, null, "Layers")]
    [InlineData("tiny", null, 130, "130")]
    public void Impossible_sizes_are_named(string preset, int? layers, int? hidden, string named)
    {
        var options = new ModelOptions
        {
            Preset = preset,
            Layers = layers,
            HiddenSize = hidden,
        };
        Assert.Contains(named, Assert.Throws<PermanentException>(() => options.Resolve(100)).Message, StringComparison.Ordinal);
    }
}
