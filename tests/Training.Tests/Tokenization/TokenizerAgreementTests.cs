using System.IO.Compression;
using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Tokenization;

/// <summary>Our tokenizer and the package's, set up exactly, held against each other where no recorded ids exist.</summary>
public sealed class TokenizerAgreementTests
{
    private const ulong Seed = 20_261_124;

    [Theory]
    [InlineData(true, null, true, 100)]
    [InlineData(false, null, true, 100)]
    [InlineData(true, false, true, 100)]
    [InlineData(false, true, false, 100)]
    [InlineData(true, null, true, 5)]
    public void RandomTextsGiveTheSameIds(bool lowerCase, bool? stripAccents, bool ideographs, int maxWordLength)
    {
        var options = new TokenizerOptions
        {
            LowerCase = lowerCase,
            StripAccents = stripAccents,
            TokenizeChineseCharacters = ideographs,
            MaxWordLength = maxWordLength,
            SpecialTokensInText = !ideographs,
        };
        AssertAgree(GoldenTokenization.Vocabulary("uncased"), options, RandomTexts(1_000));
    }

    /// <summary>The beginning of every text there is; `bench -- agreement` reads them to their ends.</summary>
    [Theory]
    [InlineData("uncased", true)]
    [InlineData("multi", false)]
    public void RealTextsGiveTheSameIds(string vocabulary, bool lowerCase)
    {
        string[] files =
        [
            .. Directory.GetFiles(SharedData.Require("data/corpora"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal),
        ];
        Assert.True(files.Length > 100);
        AssertAgree(
            GoldenTokenization.Vocabulary(vocabulary),
            new TokenizerOptions { LowerCase = lowerCase },
            files.SelectMany(file => FirstLines(file, 120))
        );
    }

    private static IEnumerable<byte[]> FirstLines(string path, int count)
    {
        using Stream file = File.OpenRead(path);
        using var reader = new StreamReader(Path.GetExtension(path) == ".gz" ? new GZipStream(file, CompressionMode.Decompress) : file);
        for (; count > 0 && reader.ReadLine() is { } line; count--)
        {
            yield return Encoding.UTF8.GetBytes(line);
        }
    }

    [Fact]
    public void ATextIsTheSameInOnePieceAndFromManyThreads()
    {
        var tokenizer = new WordPieceTokenizer(GoldenTokenization.Vocabulary("uncased"), new TokenizerOptions());
        byte[][] texts = [.. RandomTexts(200)];
        List<int>[] expected = [.. texts.Select(text => Ids(tokenizer, text))];
        List<int>[] actual = new List<int>[texts.Length];
        Parallel.For(0, texts.Length, i => actual[i] = Ids(tokenizer, texts[i]));
        Assert.Equal(expected, actual);

        var joined = new List<int>();
        tokenizer.Encode(texts.Aggregate((a, b) => [.. a, (byte)'\n', .. b]), joined);
        Assert.Equal(expected.SelectMany(ids => ids), joined);
    }

    /// <summary>All lines at once are every line by itself, of random texts that hold line feeds.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LinesAreEncodedTogetherAsOneByOne(bool specialTokens)
    {
        var options = new TokenizerOptions { SpecialTokensInText = specialTokens, MaxWordLength = 30 };
        var tokenizer = new WordPieceTokenizer(GoldenTokenization.Vocabulary("uncased"), options);
        List<int> ids = [1],
            ends = [1],
            expected = [],
            expectedEnds = [];
        int lines = 0;
        foreach (byte[] text in RandomTexts(1_000).Chunk(3).Select(some => some.Aggregate((a, b) => [.. a, (byte)'\n', .. b])))
        {
            tokenizer.EncodeLines(text, ids, ends);
            expected.Clear();
            expectedEnds.Clear();
            foreach (Range line in text.AsSpan().Split((byte)'\n'))
            {
                int before = expected.Count;
                tokenizer.Encode(text.AsSpan()[line], expected);
                expectedEnds.AddRange(expected.Count > before ? [expected.Count] : []);
            }

            Assert.Equal(expected, ids);
            Assert.Equal(expectedEnds, ends);
            lines += ends.Count;
        }

        Assert.InRange(lines, 1_000, 100_000);
    }

    [Fact]
    public void BytesThatAreNotUtf8AreRemovedWithoutEndingTheWord()
    {
        var tokenizer = new WordPieceTokenizer(GoldenTokenization.Vocabulary("uncased"), new TokenizerOptions());
        Assert.Equal(
            Ids(tokenizer, "hello world"u8),
            Ids(tokenizer, [.. "he"u8, 0xFF, .. "llo"u8, 0xC3, .. " wor"u8, 0xED, 0xA0, 0x80, .. "ld"u8, 0xF0, 0x9F])
        );
        var fromString = new List<int>();
        tokenizer.Encode("he\uD800llo world", fromString);
        Assert.Equal(Ids(tokenizer, "hello world"u8), fromString);
    }

    [Fact]
    public void SpecialTokensInTextAreSplitUnlessAskedFor()
    {
        Vocabulary vocabulary = GoldenTokenization.Vocabulary("uncased");
        List<int> split = Ids(new WordPieceTokenizer(vocabulary, new TokenizerOptions()), "a[MASK]b"u8);
        List<int> kept = Ids(new WordPieceTokenizer(vocabulary, new TokenizerOptions { SpecialTokensInText = true }), "a[MASK]b"u8);
        Assert.Equal(["a", "[", "mask", "]", "b"], split.Select(vocabulary.TokenOf));
        Assert.Equal(["a", "[MASK]", "b"], kept.Select(vocabulary.TokenOf));
    }

    private static void AssertAgree(Vocabulary vocabulary, TokenizerOptions options, IEnumerable<byte[]> texts)
    {
        var ours = new WordPieceTokenizer(vocabulary, options);
        var reference = new ReferenceTokenizer(vocabulary, options);
        foreach (byte[] text in texts)
        {
            List<int> expected = Ids(reference, text);
            List<int> actual = Ids(ours, text);
            Assert.True(expected.SequenceEqual(actual), $"{Convert.ToHexString(text)}\n{Show(expected)}\n{Show(actual)}");
        }

        string Show(List<int> ids) => string.Join(' ', ids.Select(vocabulary.TokenOf));
    }

    private static List<int> Ids(ITokenizer tokenizer, ReadOnlySpan<byte> text)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, ids);
        return ids;
    }

    /// <summary>Random bytes, random scalars of the whole code space and of the crowded part, and ASCII words, mixed in one text.</summary>
    private static IEnumerable<byte[]> RandomTexts(int count)
    {
        var random = new CounterRandom(Seed, 1);
        for (int i = 0; i < count; i++)
        {
            var text = new List<byte>();
            for (int pieces = random.Next(40); pieces > 0; pieces--)
            {
                AddPiece(text, ref random);
            }

            yield return [.. text];
        }
    }

    private static void AddPiece(List<byte> text, ref CounterRandom random)
    {
        int kind = random.Next(6);
        for (int length = random.Next(kind == 5 ? 120 : 12); length > 0; length--)
        {
            int scalar = kind switch
            {
                0 => random.Next(0x110000),
                1 => random.Next(0x3000),
                2 => 0xAC00 + random.Next(11_172),
                3 => random.Next(128),
                _ => 'a' + random.Next(26),
            };
            text.AddRange(kind == 0 && random.Next(4) == 0 ? [(byte)scalar] : Encoding.UTF8.GetBytes(char.ConvertFromUtf32(Valid(scalar))));
        }

        text.AddRange(
            random.Next(8) switch
            {
                0 => "[MASK]"u8,
                1 => "[sep]"u8,
                2 => ""u8,
                3 => "\r\n"u8,
                _ => " "u8,
            }
        );
    }

    private static int Valid(int scalar) => scalar is >= 0xD800 and < 0xE000 ? 'x' : scalar;
}
