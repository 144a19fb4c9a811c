using System.Security.Cryptography;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Tokenization;

public sealed class VocabularyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("vocabulary-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void IdsAreLineNumbers()
    {
        Vocabulary vocabulary = Vocabulary.Load(Write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n"));
        Assert.Equal(7, vocabulary.Count);
        Assert.Equal("##b", vocabulary.TokenOf(6));
        Assert.True(vocabulary.TryGetId("a", out int id));
        Assert.Equal(5, id);
        Assert.False(vocabulary.TryGetId("b", out _));
        Assert.Equal(
            (0, 1, 2, 3, 4),
            (vocabulary.PadId, vocabulary.UnknownId, vocabulary.ClassifierId, vocabulary.SeparatorId, vocabulary.MaskId)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => vocabulary.TokenOf(7));
    }

    [Theory]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nx\ny\nx\n", "line 8", "\"x\"", "line 6")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n\n[SEP]\n[MASK]\n", "line 4", "empty", "")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n \n[SEP]\n[MASK]\n", "line 4", "empty", "")]
    [InlineData("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "[MASK]", "add it", "4 lines")]
    [InlineData("", "empty", "", "")]
    public void FaultsAreNamedWithFileAndLine(string content, string first, string second, string third)
    {
        string path = Write(content);
        string message = Assert.Throws<PermanentException>(() => Vocabulary.Load(path)).Message;
        Assert.Contains(path, message);
        Assert.Contains(first, message);
        Assert.Contains(second, message);
        Assert.Contains(third, message);
    }

    [Fact]
    public void BytesThatAreNotUtf8AreNamed()
    {
        string path = Path.Combine(folder, "vocab.txt");
        File.WriteAllBytes(path, [.. "[PAD]\n[UNK]\n"u8, 0xC3, 0x28, (byte)'\n']);
        string message = Assert.Throws<PermanentException>(() => Vocabulary.Load(path)).Message;
        Assert.Contains($"{path}, line 3", message);
        Assert.Contains("C328", message);
    }

    [Fact]
    public void MissingFileIsNamed()
    {
        string path = Path.Combine(folder, "absent.txt");
        Assert.Contains(path, Assert.Throws<PermanentException>(() => Vocabulary.Load(path)).Message);
    }

    [Fact]
    public void ByteOrderMarkCarriageReturnsAndMissingLastLineFeedAreAccepted()
    {
        Vocabulary vocabulary = Vocabulary.Load(Write("\uFEFF[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\nend"));
        Assert.Equal("[PAD]", vocabulary.TokenOf(0));
        Assert.Equal("end", vocabulary.TokenOf(5));
    }

    [Fact]
    public void DigestIsTheFilesAndSavingReproducesIt()
    {
        string path = Write("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n\u2028\n日\n");
        Vocabulary vocabulary = Vocabulary.Load(path);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), vocabulary.Digest);

        string copy = Path.Combine(folder, "copy.txt");
        vocabulary.Save(copy);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(copy));
        Assert.Equal(vocabulary.Digest, new Vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u2028", "日"]).Digest);
        Assert.Equal(2, Directory.GetFiles(folder).Length);
    }

    [Fact]
    public void VocabularyWithoutSpecialTokensFailsOnlyWhereTheyAreAskedFor()
    {
        var vocabulary = new Vocabulary(["a", "##b"]);
        Assert.Contains("[UNK]", Assert.Throws<PermanentException>(() => vocabulary.UnknownId).Message);
    }

    [Fact]
    public void StoreGivesBackWhatWasWritten()
    {
        var vocabulary = new Vocabulary([.. SpecialTokens.All, "a"]);
        var options = new TokenizerOptions
        {
            LowerCase = false,
            StripAccents = true,
            MaxWordLength = 200,
        };
        string artifact = Path.Combine(folder, "artifact");
        VocabularyStore.Write(artifact, vocabulary, options);
        (Vocabulary vocabularyRead, TokenizerOptions optionsRead) = VocabularyStore.Read(artifact);
        Assert.Equal(vocabulary.Digest, vocabularyRead.Digest);
        Assert.Equal(options, optionsRead);
        Assert.Equal(["tokenizer-options.json", "vocab.txt"], Directory.GetFiles(artifact).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("{\"lowerCase\": true, \"lowercase\": 1}", "lowercase")]
    [InlineData("{\"maxWordLength\": 0}", "MaxWordLength is 0")]
    [InlineData("null", "null")]
    [InlineData("{", "tokenizer-options.json")]
    public void MalformedOptionsAreNamed(string json, string expected)
    {
        VocabularyStore.Write(folder, new Vocabulary(SpecialTokens.All), new TokenizerOptions());
        File.WriteAllText(Path.Combine(folder, "tokenizer-options.json"), json);
        Assert.Contains(expected, Assert.Throws<PermanentException>(() => VocabularyStore.Read(folder)).Message);
    }

    private string Write(string content)
    {
        string path = Path.Combine(folder, "vocab.txt");
        File.WriteAllText(path, content);
        return path;
    }
}
