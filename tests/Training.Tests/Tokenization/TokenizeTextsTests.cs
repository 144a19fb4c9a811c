using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Tokenization;

/// <summary>The library side of the commands that tokenize and train vocabularies without a run.</summary>
public sealed class TokenizeTextsTests
{
    private static readonly Vocabulary Words = new([.. SpecialTokens.All, "a", "##b", "c"]);

    [Fact]
    public void EachLineBecomesOneJsonLine()
    {
        Assert.Equal("{\"ids\":[5,6]}\n{\"ids\":[]}\n{\"ids\":[1,7]}\n", Run("ab\r\n\nx c", field: null, addSpecial: false));
        Assert.Equal("{\"ids\":[2,5,6,3]}\n{\"ids\":[2,3]}\n", Run("ab\n\n", field: null, addSpecial: true));
    }

    [Fact]
    public void LinesLongerThanTheBufferAreWhole()
    {
        string ids = Run(string.Concat(Enumerable.Repeat("a ", 200_000)) + "\nc\n", field: null, addSpecial: false);
        Assert.Equal(200_000, ids.Split('\n')[0].Count(character => character == '5'));
        Assert.Equal("{\"ids\":[7]}", ids.Split('\n')[1]);
    }

    /// <summary>Some pieces, a line longer than any of them and a last one without line feed.</summary>
    [Fact]
    public void ThreadsDoNotChangeTheLines()
    {
        var random = new CounterRandom(1, 1);
        var text = new StringBuilder("\uFEFFab\n");
        var expected = new StringBuilder("{\"ids\":[5,6]}\n");
        string[] words = ["a", "ab", "c", "abb"];
        string[] ids = ["5", "5,6", "7", "5,6,6"];
        for (int line = 0; line < 60_000; line++)
        {
            int[] drawn = [.. Enumerable.Range(0, line == 30_000 ? 200_000 : random.Next(12)).Select(_ => random.Next(4))];
            text.AppendJoin(' ', drawn.Select(word => words[word])).Append(line == 59_999 ? "" : "\r\n");
            expected.Append("{\"ids\":[").AppendJoin(',', drawn.Select(word => ids[word])).Append("]}\n");
        }

        text.Append(" c");
        expected.Length -= 3;
        expected.Append(expected[^1] == '[' ? "7]}\n" : ",7]}\n");
        foreach (int threads in new[] { 1, 2, 5 })
        {
            Assert.Equal(expected.ToString(), Run(text.ToString(), field: null, addSpecial: false, threads));
        }
    }

    /// <summary>Every piece has a fault: the first is told, whichever thread was faster, and what stands before it is there.</summary>
    [Fact]
    public void OfManyFaultsTheFirstIsTold()
    {
        string[] lines = [.. Enumerable.Range(1, 100_000).Select(line => line % 5_000 == 3_333 ? "{\"text\":1}" : "{\"text\":\"ab c\"}")];
        for (int i = 0; i < 20; i++)
        {
            using var output = new MemoryStream();
            string message = Assert
                .Throws<PermanentException>(() => Run(string.Join('\n', lines), "text", addSpecial: false, threads: 4, output))
                .Message;
            Assert.StartsWith("input line 3333: ", message);
            Assert.Equal(string.Concat(Enumerable.Repeat("{\"ids\":[5,6,7]}\n", 3_332)), Encoding.UTF8.GetString(output.ToArray()));
        }
    }

    [Fact]
    public void JsonFieldsAreRead() =>
        Assert.Equal("{\"ids\":[5,6,7]}\n", Run("{\"id\":1,\"body\":\"ab\\nc\"}\n", "body", addSpecial: false));

    [Theory]
    [InlineData("{\"body\":\"a\"}\n{\"text\":\"a\"}\n", "line 2", "\"text\"")]
    [InlineData("{\"body\":1}\n", "line 1", "\"body\"")]
    [InlineData("{\"body\":\"a\"}\n\n", "line 2", "JSON")]
    [InlineData("[1]\n", "line 1", "Array")]
    public void FaultyRecordsAreNamed(string input, string line, string what)
    {
        string message = Assert.Throws<PermanentException>(() => Run(input, "body", addSpecial: false)).Message;
        Assert.Contains(line, message);
        Assert.Contains(what, message);
    }

    [Fact]
    public void TrainingOnTextAndOnItsWordCountsGivesTheSameVocabulary()
    {
        var options = new VocabularyTrainerOptions { Size = 2_000 };
        string[] digests =
        [
            .. new[] { "en-small.txt", "wordcounts-en-small-uncased.tsv" }
                .Select(name => SharedData.Require("golden/vocabulary-training/" + name))
                .Select(path =>
                    VocabularyFromFiles.Train([path], new TokenizerOptions(), options, initialOrder: null, Cancellation).Digest
                ),
        ];
        Vocabulary expected = Vocabulary.Load(
            SharedData.Require("golden/vocabulary-training/ordered-en-small-uncased-v2000-mf2-la1000-sp.vocab.txt")
        );
        Assert.Equal([expected.Digest, expected.Digest], digests);
    }

    [Fact]
    public void MissingInputIsNamed() =>
        Assert.Contains(
            "absent.txt",
            Assert
                .Throws<PermanentException>(() =>
                    VocabularyFromFiles.Train(["absent.txt"], new TokenizerOptions(), new(), initialOrder: null, Cancellation)
                )
                .Message
        );

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Run(string input, string? field, bool addSpecial, int threads = 2)
    {
        using var output = new MemoryStream();
        Run(input, field, addSpecial, threads, output);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private static void Run(string input, string? field, bool addSpecial, int threads, MemoryStream output)
    {
        using var source = new MemoryStream(Encoding.UTF8.GetBytes(input));
        var tokenizer = new WordPieceTokenizer(Words, new TokenizerOptions());
        TokenizeTexts.Run(tokenizer, source, output, field, addSpecial, threads, Cancellation);
    }
}
