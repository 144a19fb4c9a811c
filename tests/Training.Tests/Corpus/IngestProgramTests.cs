using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using ElectraPipeline.Training.Corpus.Readers;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class IngestProgramTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Everything_read_is_accounted_for()
    {
        folder.Write("in/a.txt", [.. "One.\nTwo.\n\nOne.  \n Two.\n\nbad "u8, 0xFF, .. "\n\nThree.\n"u8]);
        folder.Write(
            "in/b.jsonl",
            "{\"text\":\"Four.\"}\n{\"text\":\" \\n \"}\nnonsense\n{\"text\":\"One. Two.\"}\n{\"id\":\"x\",\"text\":\"Four.\\nOne.\"}\n"
        );
        var reporter = new SilentReporter();
        CorpusOptions options = Options(folder["in"]) with { MaxRejectShare = 1, RemoveDuplicateLines = true, Parts = 3 };
        IngestResult result = IngestProgram.Run(options, folder["out"], reporter, TestContext.Current.CancellationToken);

        CorpusManifest manifest = CorpusManifest.Read(folder["out"]);
        Assert.Equal((9L, 3L, 3L, 1L, 2L), (manifest.Records, manifest.Documents, manifest.Duplicates, manifest.Empty, manifest.Rejected));
        Assert.Equal([4L, 5L], manifest.Inputs.Select(input => input.Records));
        Assert.Equal(["text", "jsonl"], manifest.Inputs.Select(input => input.Format));
        Assert.Equal(["broken-json", "invalid-utf8"], manifest.Rejects.Select(reason => reason.Reason).Order());
        Reject sample = manifest.Rejects.Single(reason => reason.Reason == "broken-json").Samples.Single();
        Assert.Equal(("b.jsonl", 3L, 34L), (sample.Source, sample.Line, sample.Offset));
        Assert.Equal(result.Documents, manifest.Documents);
        Assert.Equal((manifest.BytesIn, manifest.BytesIn, "bytes"), reporter.LastProgress);

        List<Document> documents = DocumentParts.List(folder["out"]).SelectMany(DocumentParts.Read).ToList();
        Assert.Equal(["Four.", "One.\nTwo.", "Three."], documents.Select(document => document.Text).Order(StringComparer.Ordinal));
        Assert.Equal(documents.Sum(document => Encoding.UTF8.GetByteCount(document.Text) + 1), manifest.TextBytesOut);
    }

    [Fact]
    public void Links_that_lead_out_are_counted_and_named_and_what_is_read_is_the_same_without_them()
    {
        folder.Write("in/a.txt", "One.\n\nTwo.");
        folder.Write("elsewhere/secret.txt", "Secret.");
        Ingest(Options(folder["in"]), folder["plain"]);
        File.CreateSymbolicLink(folder["in/secret.txt"], folder["elsewhere/secret.txt"]);
        Directory.CreateSymbolicLink(folder["in/more"], folder["elsewhere"]);
        CorpusManifest manifest = Ingest(Options(folder["in"]), folder["out"]).Manifest;
        Assert.Equal(2, manifest.LinksLeftOut!.Count);
        Assert.Equal(["more", "secret.txt"], manifest.LinksLeftOut.Samples);
        Assert.Equal(2, manifest.Documents);
        Assert.Equal(CorpusManifest.Read(folder["plain"]).Parts, manifest.Parts);
        Assert.DoesNotContain("linksLeftOut", File.ReadAllText(folder["plain/manifest.json"]));

        CorpusManifest named = Ingest(Options(folder["in"], folder["in/more"]), folder["named"]).Manifest;
        Assert.Equal(3, named.Documents);
    }

    [Fact]
    public void Books_that_do_not_balance_are_refused()
    {
        folder.Write("a.txt", "One.\n\nTwo.");
        CorpusManifest manifest = Ingest(Options(folder["a.txt"]), folder["out"]).Manifest;
        Ingestion.CheckSums(manifest);
        Assert.Throws<InvalidOperationException>(() => Ingestion.CheckSums(manifest with { Documents = 3 }));
        Assert.Throws<InvalidOperationException>(() => Ingestion.CheckSums(manifest with { TextBytesRead = 1 }));
        Assert.Throws<InvalidOperationException>(() => Ingestion.CheckSums(manifest with { BytesIn = 1 }));
    }

    [Fact]
    public void The_bytes_depend_on_the_input_alone()
    {
        string paragraphs = SharedData.Require("data/formats/made/wiki_paragraphs.jsonl");
        File.Copy(paragraphs, folder["wiki_paragraphs.jsonl"]);
        Ingest(Options(paragraphs), folder["one"]);
        Ingest(Options(folder["wiki_paragraphs.jsonl"]), folder["two"]);
        string[] names = Directory.GetFiles(folder["one"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(
            ["documents-00000.jsonl", "documents-00001.jsonl", "documents-00002.jsonl", "documents-00003.jsonl", "manifest.json"],
            names
        );
        Assert.All(
            names,
            name => Assert.Equal(File.ReadAllBytes(Path.Combine(folder["one"], name)), File.ReadAllBytes(Path.Combine(folder["two"], name)))
        );
        Assert.DoesNotContain(folder.Path, File.ReadAllText(Path.Combine(folder["two"], "manifest.json")));
    }

    [Fact]
    public void Threads_do_not_change_a_byte()
    {
        string lines = File.ReadAllText(SharedData.Require("data/formats/made/wiki_paragraphs.jsonl"));
        foreach (int file in Enumerable.Range(0, 20))
        {
            folder.Write($"in/{file:00}.jsonl", file % 7 == 3 ? "nonsense\n" : lines[(file * 1_000)..]);
        }

        folder.Write(
            "in/long.txt",
            string.Join(
                "\n\n",
                Enumerable.Range(0, 5_000).Select(i => $"This is number {i} of the short documents in one file.\nIt has two lines.")
            )
        );
        CorpusOptions options = Options(folder["in"], "dotnet-docs") with
        {
            Filters = new()
            {
                Length = new() { MinWords = 6 },
                GopherRepetition = new(),
                NearDuplicates = new() { Bands = 20 },
                Boilerplate = new(),
            },
        };
        foreach (int threads in (int[])[1, 2, 5])
        {
            IngestProgram.Run(
                options,
                folder[$"out{threads}"],
                new SilentReporter(),
                TestContext.Current.CancellationToken,
                folder["cache"],
                threads
            );
        }

        foreach (string name in Directory.GetFiles(folder["out1"]).Select(path => Path.GetFileName(path)))
        {
            byte[] one = File.ReadAllBytes(Path.Combine(folder["out1"], name));
            Assert.Equal(one, File.ReadAllBytes(Path.Combine(folder["out2"], name)));
            Assert.Equal(one, File.ReadAllBytes(Path.Combine(folder["out5"], name)));
        }
    }

    [Fact]
    public void Parts_share_the_documents_out_whatever_their_order()
    {
        string[] lines = File.ReadAllLines(SharedData.Require("data/formats/made/wiki_paragraphs.jsonl"));
        folder.Write("a.jsonl", string.Join('\n', lines));
        folder.Write("b.jsonl", string.Join('\n', lines.Reverse()));
        Ingest(Options(folder["a.jsonl"]), folder["a"]);
        Ingest(Options(folder["b.jsonl"]), folder["b"]);
        foreach ((string a, string b) in DocumentParts.List(folder["a"]).Zip(DocumentParts.List(folder["b"])))
        {
            List<string> ids = DocumentParts.Read(a).Select(document => document.Id).ToList();
            Assert.InRange(ids.Count, 646 / 4 - 60, 646 / 4 + 60);
            Assert.Equal(ids, DocumentParts.Read(b).Select(document => document.Id).Reverse());
        }
    }

    [Fact]
    public void Too_many_rejects_or_a_strict_policy_stop_with_the_place()
    {
        folder.Write("a.jsonl", "{\"text\":\"One.\"}\nnonsense\n");
        var thrown = Assert.Throws<PermanentException>(() => Ingest(Options(folder["a.jsonl"]), folder["out"]));
        Assert.Contains("1 of 2 records", thrown.Message);
        Assert.Contains("a.jsonl, line 2, byte 17", thrown.Message);
        thrown = Assert.Throws<PermanentException>(() => Ingest(Options(folder["a.jsonl"]) with { OnReject = "fail" }, folder["out"]));
        Assert.Contains("a.jsonl, line 2, byte 17", thrown.Message);
        Assert.Empty(Directory.GetFiles(folder["out"]));
    }

    [Fact]
    public void An_empty_corpus_is_refused()
    {
        folder.Write("a.txt", " \n\n");
        var thrown = Assert.Throws<PermanentException>(() => Ingest(Options(folder["a.txt"]), folder["out"]));
        Assert.Contains("no document in 1 file(s), the first a.txt", thrown.Message);
        Assert.Empty(Directory.GetFiles(folder["out"]));
    }

    [Theory]
    [InlineData("parts")]
    [InlineData("format")]
    [InlineData("onReject")]
    [InlineData("maxRejectShare")]
    [InlineData("textField")]
    public void Options_out_of_range_are_named(string name)
    {
        CorpusOptions good = Options(folder.Write("a.txt", "One."));
        CorpusOptions bad = name switch
        {
            "parts" => good with { Parts = 0 },
            "format" => good with { Format = "docx" },
            "onReject" => good with { OnReject = "ignore" },
            "maxRejectShare" => good with { MaxRejectShare = 2 },
            _ => good with { TextField = "" },
        };
        Assert.Contains("corpus." + name, Assert.Throws<PermanentException>(() => Ingest(bad, folder["out"])).Message);
    }

    [Fact]
    public void A_full_disk_is_named_and_leaves_nothing_behind()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs /dev/full");
        var noise = new CounterRandom(1, 1);
        folder.Write("a.txt", string.Join("\n\n", Enumerable.Range(0, 100_000).Select(_ => $"{noise.NextUInt64():x}")));
        Directory.CreateDirectory(folder["out"]);
        File.CreateSymbolicLink(Path.Combine(folder["out"], "documents-00000.jsonl.partial"), "/dev/full");
        var thrown = Assert.Throws<IOException>(() => Ingest(Options(folder["a.txt"]) with { Parts = 1 }, folder["out"]));
        Assert.Contains("disk full while writing", thrown.Message);
        Assert.Contains("documents-00000.jsonl", thrown.Message);
        Assert.Matches("[0-9]+ bytes are free", thrown.Message);
        Assert.Empty(Directory.GetFileSystemEntries(folder["out"]));
    }

    [Fact]
    public void A_file_that_changes_while_it_is_read_is_noticed()
    {
        string path = folder.Write("a.txt", "One.\n\nTwo.");
        SourceFile listed = Assert.Single(SourceFiles.Resolve(Options(path)));
        File.WriteAllText(path, "One.\n\nSix.");
        Assert.Contains(
            "changed while it was read",
            Assert.Throws<IOException>(() => DocumentSource.Read(listed, Options(path)).Count()).Message
        );
    }

    [Fact]
    public void What_was_found_before_is_what_is_read_or_nothing_is()
    {
        CorpusOptions options = Options(folder.Write("in/a.txt", "One.\n\nTwo.")) with
        {
            Filters = new CorpusFilterOptions
            {
                Decontaminate = new DecontaminationOptions { Files = [folder.Write("dev.txt", "Some words.")] },
            },
        };
        CorpusFiles found = CorpusFiles.Resolve(options);
        Assert.Equal(2, Run("first").Documents);
        folder.Write("in/a.txt", "One.\n\nSix.");
        Assert.Contains("a.txt changed while it was read", Assert.Throws<IOException>(() => Run("second")).Message);
        folder.Write("in/a.txt", "One.\n\nTwo.");
        folder.Write("dev.txt", "More words.");
        Assert.Contains("dev.txt changed while it was read", Assert.Throws<IOException>(() => Run("third")).Message);

        IngestResult Run(string output) =>
            IngestProgram.Run(options, folder[output], new SilentReporter(), TestContext.Current.CancellationToken, files: found);
    }

    [Fact]
    public void A_file_of_old_that_is_written_while_it_is_read_is_noticed_too()
    {
        string path = folder.Write("a.txt", "One.\n\nTwo.");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-1));
        SourceFile listed = Assert.Single(SourceFiles.Resolve(Options(path)));
        using IEnumerator<ReadRecord> records = DocumentSource.Read(listed, Options(path)).GetEnumerator();
        Assert.True(records.MoveNext());
        File.WriteAllText(path, "One.\n\nSix.");
        Assert.True(records.MoveNext());
        Assert.Contains("changed while it was read", Assert.Throws<IOException>(() => records.MoveNext()).Message);
        Assert.NotEqual(listed.Sha256, Assert.Single(SourceFiles.Resolve(Options(path))).Sha256);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_damaged_part_is_named(bool compress)
    {
        CorpusOptions options = Options(SharedData.Require("data/formats/made/wiki_paragraphs.jsonl")) with
        {
            Parts = 1,
            Compress = compress,
        };
        Ingest(options, folder["out"]);
        string part = Assert.Single(DocumentParts.List(folder["out"]));
        byte[] whole = File.ReadAllBytes(part);
        int lastLetter = whole.AsSpan().LastIndexOfAnyInRange((byte)'a', (byte)'z');
        foreach (int place in new[] { whole.Length / 2, whole.Length / 3, lastLetter })
        {
            byte[] bytes = [.. whole];
            bytes[place] ^= 4;
            File.WriteAllBytes(part, bytes);
            Assert.Contains(part, Assert.Throws<PermanentException>(() => DocumentParts.Read(part).Count()).Message);
        }

        File.WriteAllBytes(part, whole[..(whole.AsSpan(0, whole.Length / 2).LastIndexOf((byte)'\n') + 1)]);
        Assert.Contains(part, Assert.Throws<PermanentException>(() => DocumentParts.Read(part).Count()).Message);
        File.Delete(part);
        Assert.Contains(part, Assert.Throws<PermanentException>(() => DocumentParts.List(folder["out"])).Message);
    }

    [Fact]
    public void Compression_changes_the_files_and_no_document()
    {
        CorpusOptions options = Options(SharedData.Require("data/formats/made/wiki_paragraphs.jsonl"));
        CorpusManifest plain = Ingest(options, folder["plain"]).Manifest;
        CorpusManifest compressed = Ingest(options with { Compress = true }, folder["compressed"]).Manifest;
        Assert.Equal(plain.Parts.Select(part => part with { Name = part.Name + ".zst" }), compressed.Parts);
        foreach ((string a, string b) in DocumentParts.List(folder["plain"]).Zip(DocumentParts.List(folder["compressed"])))
        {
            Assert.True(2 * new FileInfo(b).Length < new FileInfo(a).Length);
            Assert.Equal(DocumentParts.Read(a), DocumentParts.Read(b));
        }
    }

    [Fact]
    public void Dotnet_docs_make_a_corpus_of_distinct_sentences()
    {
        IngestResult result = Ingest(Options("dotnet-docs"), folder["out"]);
        TestContext.Current.SendDiagnosticMessage(
            $"{result.Documents} documents, {result.Manifest.Lines} lines, {result.TextBytes} bytes, "
                + $"{result.Manifest.DuplicateLines} duplicate lines"
        );
        Assert.InRange(result.Manifest.Lines, 60_000, 400_000);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (Document document in DocumentParts.List(folder["out"]).SelectMany(DocumentParts.Read))
        {
            Assert.All(document.Text.Split('\n'), line => Assert.True(seen.Add(line), line));
        }

        Assert.Equal(result.Manifest.Lines, seen.Count);
        Assert.DoesNotContain(
            seen,
            line => line.Contains("<see", StringComparison.Ordinal) || line.Contains("cref=", StringComparison.Ordinal)
        );
    }
}
