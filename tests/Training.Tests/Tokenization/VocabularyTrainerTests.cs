using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Tokenization;

/// <summary>The trainer against vocabularies made by the original program and by its algorithm in byte order.</summary>
public sealed partial class VocabularyTrainerTests
{
    [Theory]
    [InlineData("ordered-tiny-uncased-v60-mf0-la0-sp")]
    [InlineData("ordered-tiny-uncased-v30000-mf2-la0-nosp")]
    [InlineData("ordered-en-small-uncased-v2000-mf0-la40-sp")]
    [InlineData("ordered-en-small-uncased-v2000-mf2-la1000-sp")]
    [InlineData("ordered-en-small-uncased-v30522-mf2-la1000-sp")]
    [InlineData("ordered-multi-small-uncased-v5000-mf2-la1000-sp")]
    public void EqualsTheReferenceInByteOrder(string name)
    {
        Match match = OrderedName().Match(name);
        string corpus = match.Groups["corpus"].Value;
        var options = new VocabularyTrainerOptions
        {
            Size = Number(match, "size"),
            MinFrequency = Number(match, "frequency"),
            LimitAlphabet = Number(match, "alphabet"),
            Specials = match.Groups["specials"].Value == "sp" ? SpecialTokens.All : [],
        };

        AssertEqualsFile(
            name + ".vocab.txt",
            VocabularyTrainer.Train(CountsOf(corpus, lowerCase: true), options, TestContext.Current.CancellationToken)
        );
    }

    [Theory]
    [InlineData("hf-npm-en-small-cased-run1", "en-small", false)]
    [InlineData("hf-npm-en-small-uncased-run1", "en-small", true)]
    [InlineData("hf-npm-en-small-uncased-run2", "en-small", true)]
    [InlineData("hf-npm-multi-small-uncased-run1", "multi-small", true)]
    [InlineData("hf-npm-tiny-cased-run1", "tiny", false)]
    [InlineData("hf-npm-tiny-uncased-run1", "tiny", true)]
    [InlineData("hf-npm-tiny-uncased-run2", "tiny", true)]
    public void EqualsTheOriginalProgramGivenItsOrderOfCharacters(string name, string corpus, bool lowerCase)
    {
        var options = new VocabularyTrainerOptions
        {
            Size = 30_000,
            MinFrequency = 0,
            LimitAlphabet = 0,
            Specials = [],
            InitialOrder = File.ReadAllLines(Golden(name + ".vocab.txt")),
        };

        AssertEqualsFile(
            name + ".vocab.txt",
            VocabularyTrainer.Train(CountsOf(corpus, lowerCase), options, TestContext.Current.CancellationToken)
        );
    }

    [Theory]
    [InlineData("en-small", true)]
    [InlineData("en-small", false)]
    [InlineData("multi-small", true)]
    [InlineData("tiny", false)]
    public void CountsTheWordsThatTheOriginalCounts(string corpus, bool lowerCase)
    {
        var expected = WordCounter.ReadCounts(Golden($"wordcounts-{corpus}-{(lowerCase ? "uncased" : "cased")}.tsv"));

        Assert.Equal(
            expected.OrderBy(pair => pair.Key, StringComparer.Ordinal),
            CountsOf(corpus, lowerCase).OrderBy(pair => pair.Key, StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("multi-small")]
    [InlineData("en-small")]
    public void Threads_change_neither_counts_nor_vocabulary(string corpus)
    {
        // Several pieces, a line longer than one, a byte-order mark and no line feed at the end.
        byte[] text = File.ReadAllBytes(Golden(corpus + ".txt"));
        byte[] longLine = [.. Enumerable.Repeat("word "u8.ToArray(), 500_000).SelectMany(word => word)];
        byte[] all =
        [
            .. Encoding.UTF8.Preamble,
            .. Enumerable.Repeat(text, 1 + (3_000_000 / text.Length)).SelectMany(copy => copy),
            .. longLine,
            .. "\n"u8,
            .. text,
            .. "end"u8,
        ];
        var expected = new WordCounter(new TokenizerOptions());
        ReadOnlyMemory<byte> rest = all.AsMemory(Encoding.UTF8.Preamble.Length);
        while (LinePieces.TryTakeLine(ref rest, out ReadOnlyMemory<byte> line))
        {
            expected.Add(line.Span);
        }

        var options = new VocabularyTrainerOptions { Size = 1_000 };
        IReadOnlyList<string> vocabulary = VocabularyTrainer.Train(expected.Counts, options, TestContext.Current.CancellationToken);
        foreach (int threads in new[] { 1, 2, 5 })
        {
            var counter = new WordCounter(new TokenizerOptions());
            WordCounting.AddLines(counter, new MemoryStream(all), threads, TestContext.Current.CancellationToken);
            Assert.Equal(
                expected.Counts.OrderBy(pair => pair.Key, StringComparer.Ordinal),
                counter.Counts.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            );
            Assert.Equal(vocabulary, VocabularyTrainer.Train(counter.Counts, options, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public void TextWithoutWordsIsRefused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("empty.txt", " \n\u200b\n");
        Assert.Contains(
            "no words",
            Assert
                .Throws<PermanentException>(() =>
                    VocabularyFromFiles.Train([path], new TokenizerOptions(), new(), null, TestContext.Current.CancellationToken)
                )
                .Message
        );
    }

    private static IReadOnlyDictionary<string, long> CountsOf(string corpus, bool lowerCase)
    {
        var counter = new WordCounter(new TokenizerOptions { LowerCase = lowerCase });
        foreach (string line in File.ReadLines(Golden(corpus + ".txt")))
        {
            counter.Add(line);
        }

        return counter.Counts;
    }

    private static void AssertEqualsFile(string name, IReadOnlyList<string> tokens) =>
        Assert.Equal(Encoding.UTF8.GetString(File.ReadAllBytes(Golden(name))).TrimEnd('\n').Split('\n'), tokens);

    private static string Golden(string name) => SharedData.Require("golden/vocabulary-training/" + name);

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("^ordered-(?<corpus>.+)-uncased-v(?<size>[0-9]+)-mf(?<frequency>[0-9]+)-la(?<alphabet>[0-9]+)-(?<specials>sp|nosp)$")]
    private static partial Regex OrderedName();
}
