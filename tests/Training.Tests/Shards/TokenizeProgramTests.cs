using System.Security.Cryptography;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Corpus;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>From text files to shards, through the real programs.</summary>
public sealed class TokenizeProgramTests : IDisposable
{
    private const int Words = 400;
    private const int Documents = 300;
    private static readonly ExampleOptions Options = new() { SequenceLength = 64, HeldOutShare = 0.1 };

    private static readonly Vocabulary Tokens = new([
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        ".",
        .. Enumerable.Range(0, Words).Select(word => $"w{word}"),
    ]);

    private readonly TemporaryFolder folder = new();

    public TokenizeProgramTests()
    {
        string text = folder.Write("text/corpus.txt", string.Join("\n\n", Enumerable.Range(0, Documents).Select(Text)));
        CorpusTesting.Ingest(CorpusTesting.Options(text) with { Parts = 2 }, folder["corpus"]);
        VocabularyStore.Write(folder["vocabulary"], Tokens, new TokenizerOptions());
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void EveryTokenOfTheCorpusIsInOneExample()
    {
        TokenizeResult[] results = [Run(0, Options, "s0"), Run(1, Options, "s1")];
        long[] expected = new long[Tokens.Count];
        var tokenizer = new WordPieceTokenizer(Tokens, new TokenizerOptions());
        foreach (Document document in DocumentParts.List(folder["corpus"]).SelectMany(DocumentParts.Read))
        {
            var ids = new List<int>();
            tokenizer.Encode(document.Text, ids);
            ids.ForEach(id => expected[id]++);
        }

        using ExampleSet train = ExampleSet.Open([folder["s0"], folder["s1"]], Split.Train);
        using ExampleSet heldOut = ExampleSet.Open([folder["s0"], folder["s1"]], Split.HeldOut);
        long[] found = new long[Tokens.Count];
        Count(train, found);
        Count(heldOut, found);
        Assert.Equal(expected, found);
        Assert.Equal((long)Documents, results.Sum(result => result.Documents));
        Assert.Equal(expected.Sum(), results.Sum(result => result.TokensIn));
        Assert.Equal(expected.Sum(), results.Sum(result => result.TokensOut));
        Assert.Equal(expected[Tokens.UnknownId], results.Sum(result => result.UnknownTokens));
        Assert.True(expected[Tokens.UnknownId] > 0);
        Assert.Equal(100, results[0].FrequentTokens.Count);
        string full = Tokens.TokenOf(Array.IndexOf(expected, expected.Max()));
        Assert.All(results, result => Assert.Equal(full, result.FrequentTokens[0].Token));
        Assert.Equal(expected.Max(), results.Sum(result => result.FrequentTokens[0].Count));
        Assert.Equal(
            (train.Count, heldOut.Count),
            (results.Sum(result => result.TrainExamples), results.Sum(result => result.HeldOutExamples))
        );
        Assert.InRange(heldOut.Count / (double)(train.Count + heldOut.Count), 0.05, 0.17);
    }

    /// <summary>Each document has a word of its own: an example with two of them would cross documents.</summary>
    [Fact]
    public void NoExampleCrossesDocumentsAndNoDocumentCrossesTheSplit()
    {
        string marked = folder.Write(
            "text/marked.txt",
            string.Join(
                "\n\n",
                Enumerable
                    .Range(0, 200)
                    .Select(i =>
                        string.Join('\n', Enumerable.Repeat(string.Join(' ', Enumerable.Repeat($"w{i}", 1 + (i % 17))), 1 + (i % 13)))
                    )
            )
        );
        CorpusTesting.Ingest(CorpusTesting.Options(marked) with { Parts = 1 }, folder["corpus"]);
        Run(0, Options, "s");
        using ExampleSet train = ExampleSet.Open([folder["s"]], Split.Train);
        using ExampleSet heldOut = ExampleSet.Open([folder["s"]], Split.HeldOut);
        HashSet<int> trained = WordOfEach(train);
        HashSet<int> held = WordOfEach(heldOut);
        Assert.Equal(200, trained.Count + held.Count);
        Assert.Empty(trained.Intersect(held));
        Assert.NotEmpty(held);
    }

    /// <summary>Parts, other documents and their order do not move a document from one split to the other.</summary>
    [Fact]
    public void ADocumentIsHeldOutWhateverStandsBesideIt()
    {
        Run(0, Options, "s0");
        Run(1, Options, "s1");
        HashSet<string> held = ExamplesOf(Split.HeldOut, "s0", "s1");
        HashSet<string> trained = ExamplesOf(Split.Train, "s0", "s1");
        string grown = folder.Write("text/grown.txt", string.Join("\n\n", Enumerable.Range(0, 2 * Documents).Reverse().Select(Text)));
        CorpusTesting.Ingest(CorpusTesting.Options(grown) with { Parts = 3 }, folder["corpus"]);
        string[] parts = [.. Enumerable.Range(0, 3).Select(part => $"grown{part}")];
        for (int part = 0; part < parts.Length; part++)
        {
            Run(part, Options, parts[part]);
        }

        Assert.NotEmpty(held);
        Assert.Subset(ExamplesOf(Split.HeldOut, parts), held);
        Assert.Subset(ExamplesOf(Split.Train, parts), trained);
    }

    [Fact]
    public void BytesDependOnInputsOptionsAndSeedAlone()
    {
        Run(0, Options, "a");
        Run(0, Options, "b");
        Run(0, Options, "c", seed: 2);
        foreach (string name in (string[])["train.shard", "heldout.shard", ShardsManifest.FileName])
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["a"], name)), File.ReadAllBytes(Path.Combine(folder["b"], name)));
        }

        Assert.NotEqual(
            File.ReadAllBytes(Path.Combine(folder["a"], "train.shard")),
            File.ReadAllBytes(Path.Combine(folder["c"], "train.shard"))
        );
        Run(1, Options with { ShortTargetProbability = 0.5 }, "d");
        Assert.Contains(
            "other options",
            Assert.Throws<PermanentException>(() => ExampleSet.Open([folder["a"], folder["d"]], Split.Train)).Message
        );
    }

    [Fact]
    public void TheManifestCountsAndDigests()
    {
        TokenizeResult result = Run(0, Options with { Overflow = "discard" }, "s");
        Assert.True(result.TokensOut < result.TokensIn);
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder["s"], ShardsManifest.FileName)));
        JsonElement counts = manifest.RootElement.GetProperty("counts");
        Assert.Equal(result.TokensOut, counts.GetProperty("tokensOut").GetInt64());
        Assert.Equal(result.UnknownTokens / (double)result.TokensIn, counts.GetProperty("unknownShare").GetDouble());
        Assert.Equal(Tokens.Digest, manifest.RootElement.GetProperty("vocabularyDigest").GetString());
        foreach (JsonElement shard in manifest.RootElement.GetProperty("shards").EnumerateArray())
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(folder["s"], shard.GetProperty("name").GetString()!));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), shard.GetProperty("sha256").GetString());
            Assert.Equal(bytes.Length, shard.GetProperty("bytes").GetInt64());
        }
    }

    [Fact]
    public void OptionsOutOfRangeAndMissingPartsAreNamed()
    {
        void Refused(int part, ExampleOptions options, string named) =>
            Assert.Contains(named, Assert.Throws<PermanentException>(() => Run(part, options, "s")).Message);

        Refused(0, Options with { SequenceLength = 4 }, "sequenceLength is 4");
        Refused(0, Options with { SequenceLength = 65_536 }, "sequenceLength is 65536");
        Refused(0, Options with { Overflow = "cary" }, "overflow is \"cary\"");
        Refused(0, Options with { HeldOutShare = 0.6 }, "heldOutShare is 0.6");
        Refused(2, Options, "part 2");
        Assert.False(Directory.Exists(folder["s"]));
    }

    /// <summary>
    /// Thousands of stages read the same manifest, so it is parsed once; one that says something else is not taken for it.
    /// </summary>
    [Fact]
    public void AStageReadsItsOwnPartAloneAndTheManifestAsItIsNow()
    {
        TokenizeResult first = Run(0, Options, "s0");
        string other = DocumentParts.List(folder["corpus"])[1];
        File.Move(other, other + ".away");
        Assert.Equal(first with { FrequentTokens = [] }, Run(0, Options, "again") with { FrequentTokens = [] });
        Assert.Contains($"{other} is missing", Assert.Throws<PermanentException>(() => Run(1, Options, "s1")).Message);

        string path = Path.Combine(folder["corpus"], "manifest.json");
        string manifest = File.ReadAllText(path);
        string name = Path.GetFileName(other);
        File.WriteAllText(path, manifest.Replace(name, name.Replace("00001", "00009", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.Contains("00009.jsonl is missing", Assert.Throws<PermanentException>(() => Run(1, Options, "s1")).Message);
        File.WriteAllText(path, manifest[..^20]);
        Assert.Contains($"{path} is damaged", Assert.Throws<PermanentException>(() => Run(0, Options, "s1")).Message);
    }

    /// <summary>1 to 20 sentences of 1 to 30 words, now and then 300, some words not in the vocabulary.</summary>
    private static string Text(int document)
    {
        var random = new CounterRandom(5, (ulong)document);
        return string.Join(
            '\n',
            Enumerable
                .Range(0, 1 + (document % 20))
                .Select(_ =>
                {
                    int words = random.Next(40) == 0 ? 300 : 1 + random.Next(30);
                    return string.Join(' ', Enumerable.Range(0, words).Select(_ => $"w{random.Next(Words + 2)}")) + " .";
                })
        );
    }

    private TokenizeResult Run(int part, ExampleOptions options, string output, ulong seed = 1) =>
        TokenizeProgram.Run(
            folder["corpus"],
            part,
            folder["vocabulary"],
            options,
            seed,
            folder[output],
            new SilentReporter(),
            TestContext.Current.CancellationToken
        );

    private HashSet<string> ExamplesOf(Split split, params string[] folders)
    {
        using ExampleSet set = ExampleSet.Open([.. folders.Select(name => folder[name])], split);
        return [.. Enumerable.Range(0, set.Count).Select(i => string.Join(' ', TextOf(set, i)))];
    }

    private static void Count(ExampleSet set, long[] counts)
    {
        foreach (int id in Enumerable.Range(0, set.Count).SelectMany(i => TextOf(set, i)))
        {
            counts[id]++;
        }
    }

    private static HashSet<int> WordOfEach(ExampleSet set) =>
        [.. Enumerable.Range(0, set.Count).Select(i => Assert.Single(TextOf(set, i).Distinct()))];

    private static IEnumerable<int> TextOf(ExampleSet set, int index)
    {
        int[] ids = new int[set.SequenceLength];
        set.Read(index, ids, out int length, out int second);
        Assert.Equal((Tokens.ClassifierId, Tokens.SeparatorId, Tokens.SeparatorId), (ids[0], ids[second - 1], ids[length - 1]));
        Assert.All(ids[length..], id => Assert.Equal(Tokens.PadId, id));
        return ids[..length].Where(id => id != Tokens.ClassifierId && id != Tokens.SeparatorId);
    }
}
