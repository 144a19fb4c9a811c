using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Corpus;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>The short way from text to shards, held against the long one over ingestion.</summary>
public sealed class ShardBuildTests : IDisposable
{
    private static readonly Vocabulary Tokens = new([.. SpecialTokens.All, ".", .. Enumerable.Range(0, 300).Select(word => $"w{word}")]);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>12 MB in two files, so that pieces are cut within a file.</summary>
    [Fact]
    public void ThreadsDoNotChangeAByteAndTheExamplesAreThoseOfIngestion()
    {
        string text = folder.Write("text/a.txt", Text(1, 30_000));
        folder.Write("text/b.txt", "\uFEFF" + Text(2, 2_000));
        Assert.True(new FileInfo(text).Length > 9 << 20);
        ShardBuildResult one = Build("one", folder["text"], threads: 1);
        ShardBuildResult three = Build("three", folder["text"], threads: 3);
        AssertEqual(one.Counts, three.Counts);
        Assert.Equal(0, one.Rejected);
        foreach (string name in (string[])["train.shard", "heldout.shard", "manifest.json", "vocab.txt"])
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["one"], name)), File.ReadAllBytes(Path.Combine(folder["three"], name)));
        }

        Assert.Empty(ShardVerifier.Verify(folder["one"], TestContext.Current.CancellationToken).Faults);
        CorpusTesting.Ingest(CorpusTesting.Options(folder["text"]) with { Parts = 1, RemoveDuplicates = false }, folder["corpus"]);
        VocabularyStore.Write(folder["vocabulary"], Tokens, new TokenizerOptions());
        TokenizeResult long1 = TokenizeProgram.Run(
            folder["corpus"],
            0,
            folder["vocabulary"],
            new ExampleOptions(),
            42,
            folder["long"],
            new SilentReporter(),
            TestContext.Current.CancellationToken
        );
        AssertEqual(long1, one.Counts);
        foreach (string name in (string[])["train.shard", "heldout.shard"])
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder["long"], name)), File.ReadAllBytes(Path.Combine(folder["one"], name)));
        }
    }

    [Fact]
    public void WhatIsNoTextIsCountedAndNamed()
    {
        string text = folder.Write("bad.txt", [.. "w1 w2\n\nw3 "u8, 0xFF, .. " w4\nw5\n\nw6 \0\n\nw7\n"u8]);
        ShardBuildResult result = Build("out", text, threads: 2);
        Assert.Equal((2, 2), (result.Counts.Documents, result.Rejected));
        Assert.Equal([$"{text}, document from byte 7: invalid-utf8", $"{text}, document from byte 19: nul-byte"], result.RejectSamples);
        Assert.Contains("absent.txt", Assert.Throws<PermanentException>(() => Build("x", folder["absent.txt"], 1)).Message);
        Assert.Contains(
            "is gzip",
            Assert.Throws<PermanentException>(() => Build("x", folder.Write("z.txt", [0x1F, 0x8B, 8, 0]), 2)).Message
        );
        Assert.Contains("is bzip2", Assert.Throws<PermanentException>(() => Build("x", folder.Write("z.txt", "BZh91AY&SY"), 2)).Message);
        Assert.Contains("no document", Assert.Throws<PermanentException>(() => Build("x", folder.Write("e.txt", "\n \n"), 1)).Message);
        Assert.False(File.Exists(Path.Combine(folder["x"], "train.shard")));
    }

    /// <summary>
    /// Random lines of all white space there is, half of it beyond ASCII, and documents of plain lines.
    /// </summary>
    [Fact]
    public void TextIsCutAsTheReaderOfPlainTextCutsItAndByThePlainRule()
    {
        string[] pieces =
        [
            "a",
            "b c",
            "ä",
            "日本",
            "\n",
            "\n",
            "\n\n",
            "\r\n",
            "\r",
            " ",
            "\t",
            "\f",
            "\v",
            "\u0085",
            "\u2028",
            "\u2029",
            "\u00A0",
            "\u3000",
            "\u200B",
            "😀",
        ];
        string[] plain =
        [
            "Some plain words.\n",
            "A line that alone is longer than 32 bytes.\n",
            "\n",
            "größer\n",
            "x",
            "“and more”",
            "Of another system.\r\n",
            "\r\n",
        ];
        var random = new CounterRandom(3, 3);
        var cutter = new PlainTextCutter();
        for (int i = 0; i < 6_000; i++)
        {
            int share = random.Next(4);
            string text = string.Concat(
                Enumerable
                    .Range(0, random.Next(25))
                    .Select(_ => random.Next(4) < share ? plain[random.Next(plain.Length)] : pieces[random.Next(pieces.Length)])
            );
            string path = folder.Write("case.txt", text);
            SourceFile file = SourceFiles.Resolve(CorpusTesting.Options(path))[0];
            List<(string, string)> expected = [.. ByThePlainRule(text, "case.txt")];
            Assert.Equal(
                expected,
                DocumentSource.Read(file, CorpusTesting.Options(path)).Select(record => (record.Document!.Id, record.Document.Text))
            );

            var actual = new List<string>();
            ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text);
            while (cutter.Next(ref rest))
            {
                Assert.Null(cutter.Fault);
                actual.Add(Encoding.UTF8.GetString(cutter.Text));
            }

            Assert.Equal(expected.Select(document => document.Item2), actual);
        }
    }

    private static IEnumerable<(string Id, string Text)> ByThePlainRule(string text, string name)
    {
        string[] lines = text.Split('\n');
        int start = 0;
        for (int end = 0; end <= lines.Length; end++)
        {
            if (end == lines.Length || lines[end].All(character => character is ' ' or (>= '\t' and <= '\r')))
            {
                if (end > start)
                {
                    yield return ($"{name}:{start + 1}", DocumentText.Normalize(string.Join('\n', lines[start..end])));
                }

                start = end + 1;
            }
        }
    }

    private static void AssertEqual(TokenizeResult expected, TokenizeResult actual)
    {
        Assert.Equal(expected.FrequentTokens, actual.FrequentTokens);
        Assert.Equal(expected with { FrequentTokens = [] }, actual with { FrequentTokens = [] });
    }

    private static string Text(ulong seed, int documents)
    {
        var random = new CounterRandom(seed, 5);
        var text = new StringBuilder();
        for (int document = 0; document < documents; document++)
        {
            for (int line = 1 + random.Next(5); line > 0; line--)
            {
                for (int word = 1 + random.Next(50); word > 0; word--)
                {
                    text.Append('w').Append(random.Next(310)).Append(' ');
                }

                text.Append(random.Next(3) == 0 ? "\r\n" : ".\n");
            }

            text.Append(random.Next(3) == 0 ? " \n" : "\n");
        }

        return text.ToString();
    }

    private ShardBuildResult Build(string output, string input, int threads) =>
        ShardBuildProgram.Run(
            new ShardBuildRequest
            {
                Inputs = [input],
                Vocabulary = Tokens,
                OutputFolder = folder[output],
                Threads = threads,
            },
            TestContext.Current.CancellationToken
        );
}
