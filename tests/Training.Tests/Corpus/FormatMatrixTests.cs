using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>The same 646 paragraphs in every container and codec, and one folder of all sample files.</summary>
public sealed class FormatMatrixTests
{
    private const int Paragraphs = 646;

    public static TheoryData<string> Containers =>
        Directory.Exists(Folder)
            ? [.. Directory.GetFiles(Folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)]
            : ["wiki_paragraphs.jsonl"];

    private static string Folder => Path.Combine(SharedData.RepositoryRoot, "../shared/data/formats/made");

    [Theory]
    [MemberData(nameof(Containers))]
    public void Every_container_holds_the_same_documents(string name)
    {
        List<Document> expected = Read(SharedData.Require("data/formats/made/wiki_paragraphs.jsonl")).Documents;
        var (documents, rejects) = Read(SharedData.Require("data/formats/made/" + name));
        Assert.Empty(rejects);
        Assert.Equal(Paragraphs, documents.Count);
        Assert.Equal(expected.Select(document => (document.Id, document.Text)), documents.Select(document => (document.Id, document.Text)));
    }

    [Fact]
    public void A_folder_of_all_of_them_gives_each_once()
    {
        using var folder = new TemporaryFolder();
        string made = Path.GetDirectoryName(SharedData.Require("data/formats/made/wiki_paragraphs.jsonl"))!;
        CorpusManifest manifest = Ingest(Options(made), folder["out"]).Manifest;
        int files = Directory.GetFiles(made).Length;
        Assert.Equal(
            ((long)files * Paragraphs, Paragraphs, (long)(files - 1) * Paragraphs),
            (manifest.Records, manifest.Documents, manifest.Duplicates)
        );
    }

    [Fact]
    public void A_folder_of_every_sample_is_read_whole_and_adds_up()
    {
        using var folder = new TemporaryFolder();
        string all = Path.GetDirectoryName(SharedData.Require("data/formats/README.md"))!;
        CorpusManifest manifest = Ingest(Options(all) with { MaxRejectShare = 1 }, folder["out"]).Manifest;
        Assert.Equal(Directory.GetFiles(all, "*", SearchOption.AllDirectories).Length, manifest.Inputs.Count);
        Assert.Equal(
            ["arc", "jsonl", "mediawiki", "parquet", "text", "warc"],
            manifest.Inputs.Select(input => input.Format).Distinct().Order(StringComparer.Ordinal)
        );
        Assert.Equal(manifest.BytesIn, manifest.Inputs.Sum(input => new FileInfo(Path.Combine(all, input.Name)).Length));

        // Dolma's test documents have their text in "message", Vespa's in "fields.text".
        Assert.Equal(1_003, manifest.Rejects.Single(reject => reject.Reason == "no-text-field").Count);
        Assert.All(
            manifest.Rejects.SelectMany(reason => reason.Samples),
            reject => Assert.True(reject.Source.Length > 0 && reject.Detail.Length > 0)
        );
        Assert.True(manifest.Documents > Paragraphs + 200);
    }
}
