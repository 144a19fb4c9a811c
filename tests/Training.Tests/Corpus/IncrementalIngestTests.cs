using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Cache;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Ingesting a changed folder with a cache gives the bytes of a full rebuild and reads only what changed.</summary>
public sealed class IncrementalIngestTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private int runs;

    public IncrementalIngestTests()
    {
        File.Copy(
            SharedData.Require("data/formats/warc/warcio/example.warc.gz"),
            Path.Combine(Directory.CreateDirectory(folder["in"]).FullName, "b.warc.gz")
        );
        folder.Write("in/a.jsonl", "{\"text\":\"One.\\nTwo.\"}\nnonsense\n{\"text\":\" \"}\n");
        folder.Write("in/c.txt", "One.\nTwo.\n\nThree.\n");
        folder.Write(
            "in/docs.xml",
            "<doc><members><member name=\"T:A.B\"><summary>First one. Second one.</summary></member></members></doc>"
        );
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_grown_folder_costs_its_new_files()
    {
        Assert.Equal(0, IngestBoth().FilesReused);
        Assert.Equal(4, IngestBoth().FilesReused);

        // Sorted before the others: documents that were first become duplicates.
        folder.Write("in/0.txt", "Three.\n\nFour.\n");
        IngestResult grown = IngestBoth();
        Assert.Equal(4, grown.FilesReused);
        Assert.Equal((5, 2L), (grown.Manifest.Inputs.Count, grown.Manifest.Duplicates));
    }

    [Fact]
    public void A_changed_file_is_read_again_and_a_removed_one_disappears()
    {
        IngestBoth();
        folder.Write("in/c.txt", "One.\nTwo.\n\nOther.\n");
        Assert.Equal(3, IngestBoth().FilesReused);
        File.Delete(folder["in/a.jsonl"]);
        IngestResult shrunk = IngestBoth();
        Assert.Equal((3, 3, 0L), (shrunk.FilesReused, shrunk.Manifest.Inputs.Count, shrunk.Manifest.Rejected));
        File.Move(folder["in/c.txt"], folder["in/d.txt"]);
        Assert.Equal(2, IngestBoth().FilesReused);
    }

    [Fact]
    public void Options_that_bear_on_reading_read_again_and_others_do_not()
    {
        IngestBoth();
        Assert.Equal(4, IngestBoth(options => options with { Parts = 2, RemoveDuplicates = false, MaxRejectShare = 0.9 }).FilesReused);
        Assert.Equal(0, IngestBoth(options => options with { BlankLineEndsDocument = false }).FilesReused);
        var thrown = Assert.Throws<PermanentException>(() => IngestBoth(options => options with { OnReject = "fail" }));
        Assert.Contains("a.jsonl, line 2", thrown.Message);
    }

    [Fact]
    public void A_damaged_cache_is_noticed_and_the_next_attempt_reads_the_source()
    {
        IngestBoth();
        foreach (string path in Directory.GetFiles(folder["cache"], "*", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(path);
            bytes[^6] ^= 1;
            File.WriteAllBytes(path, bytes);
        }

        // Files are read ahead, so an attempt may find the damage of several.
        int attempts = 0;
        while (Record.Exception(() => IngestBoth()) is { } thrown)
        {
            Assert.Contains("was damaged", Assert.IsType<IOException>(thrown).Message);
            Assert.InRange(++attempts, 1, 4);
        }

        Assert.NotEqual(0, attempts);
        Assert.Equal(4, IngestBoth().FilesReused);
    }

    [Fact]
    public void What_was_not_used_for_a_month_is_removed()
    {
        IngestBoth();
        string[] kept = Directory.GetFiles(folder["cache"], "*", SearchOption.AllDirectories);
        File.SetLastWriteTimeUtc(kept[0], DateTime.UtcNow.AddDays(-31));
        Ingest(Options(folder.Write("other.txt", "One.")), folder["x"], folder["cache"]);
        Assert.False(File.Exists(kept[0]));
        Assert.All(kept[1..], path => Assert.True(File.Exists(path)));
    }

    [Fact]
    public void A_digest_is_remembered_only_when_the_time_of_change_proves_something()
    {
        string path = folder.Write("x", "one");
        string young = FileDigests.Of(path, InputFolders.Anywhere).Sha256;
        folder.Write("x", "two");
        Assert.NotEqual(young, FileDigests.Of(path, InputFolders.Anywhere).Sha256);

        DateTime old = DateTime.UtcNow.AddHours(-1);
        File.SetLastWriteTimeUtc(path, old);
        string remembered = FileDigests.Of(path, InputFolders.Anywhere).Sha256;
        folder.Write("x", "six");
        File.SetLastWriteTimeUtc(path, old);
        Assert.Equal(remembered, FileDigests.Of(path, InputFolders.Anywhere).Sha256);
        FileDigests.Forget(path);
        Assert.NotEqual(remembered, FileDigests.Of(path, InputFolders.Anywhere).Sha256);
    }

    /// <summary>Ingests with the cache and without, and holds one against the other byte by byte.</summary>
    private IngestResult IngestBoth(Func<CorpusOptions, CorpusOptions>? change = null)
    {
        CorpusOptions options = Options(folder["in"]) with { MaxRejectShare = 0.5 };
        options = change is null ? options : change(options);
        string incremental = folder[$"incremental{runs}"];
        string full = folder[$"full{runs++}"];
        IngestResult result = Ingest(options, incremental, folder["cache"]);
        Ingest(options, full);
        Assert.Equal(Names(full), Names(incremental));
        Assert.All(
            Names(full),
            name => Assert.Equal(File.ReadAllBytes(Path.Combine(full, name)), File.ReadAllBytes(Path.Combine(incremental, name)))
        );
        return result;
    }

    private static IEnumerable<string> Names(string path) =>
        Directory.GetFiles(path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal);
}
