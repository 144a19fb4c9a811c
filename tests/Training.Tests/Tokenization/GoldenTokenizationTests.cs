using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Tokenization;

/// <summary>Id for id what Hugging Face's tokenizer says, on real and adversarial texts, for both implementations.</summary>
public sealed class GoldenTokenizationTests
{
    [Theory]
    [InlineData("uncased")]
    [InlineData("cased")]
    [InlineData("chinese")]
    [InlineData("multi")]
    public void BothTokenizersAgreeWithHuggingFace(string name)
    {
        Vocabulary vocabulary = GoldenTokenization.Vocabulary(name);
        AssertAgrees(name, new WordPieceTokenizer(vocabulary, GoldenTokenization.Options(name)));
        AssertAgrees(name, new ReferenceTokenizer(vocabulary, GoldenTokenization.Options(name)));
    }

    private static void AssertAgrees(string name, ITokenizer tokenizer)
    {
        var differences = new List<string>();
        int cases = 0;
        foreach ((string kind, string text, int[] expected) in GoldenTokenization.Cases(name))
        {
            cases++;
            var actual = new List<int>();
            tokenizer.Encode(text, actual);
            if (!actual.SequenceEqual(expected))
            {
                differences.Add($"{kind} \"{text}\"\n  expected {Show(expected)}\n  actual   {Show(actual)}");
            }
        }

        Assert.Equal(2_335, cases);
        Assert.True(
            differences.Count == 0,
            $"{tokenizer.GetType().Name}: {differences.Count} of {cases} differ:\n{string.Join('\n', differences.Take(10))}"
        );

        string Show(IEnumerable<int> ids) => string.Join(' ', ids.Select(id => tokenizer.Vocabulary.TokenOf(id)));
    }
}
