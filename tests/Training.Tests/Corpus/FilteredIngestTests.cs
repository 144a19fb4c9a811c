using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Filters inside ingestion: what they remove is counted, sampled and balanced; without them nothing changes.</summary>
public sealed class FilteredIngestTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Without_filters_the_manifest_does_not_speak_of_them()
    {
        Ingest(Options(folder.Write("a.txt", "One.")), folder["out"]);
        Assert.DoesNotContain(
            "filters",
            File.ReadAllText(Path.Combine(folder["out"], "manifest.json")),
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact]
    public void What_is_removed_is_counted_by_reason_with_samples()
    {
        string good = string.Join(' ', Enumerable.Range(0, 6).Select(i => $"The sentence of number {i} has to be here."));
        folder.Write("a.txt", $"{good}\nHome and news\n\nToo short.\n\n{good}\n\nAlso short.\n\n{good} More {{ }} here.\n\nToo short.\n");
        CorpusOptions options = Options(folder["a.txt"]) with
        {
            Filters = new CorpusFilterOptions { Length = new LengthFilterOptions(), C4 = new C4Options() },
        };
        Ingest(options, folder["out"]);
        CorpusManifest manifest = CorpusManifest.Read(folder["out"]);

        FilterReport report = manifest.Filters!;
        Assert.Equal((6L, 2L, 1L), (manifest.Records, manifest.Documents, manifest.Duplicates));
        Assert.Equal((3L, 1L), (report.Documents, report.Lines));
        Assert.Equal(
            [("length", "too-few-characters", 2L), ("c4", "curly-brace", 1L)],
            report.DocumentReasons.Select(count => (count.Filter, count.Reason, count.Count))
        );
        Assert.Equal(["Too short.", "Also short."], report.DocumentReasons[0].Samples.Select(sample => sample.Excerpt));
        Assert.Equal("a.txt", report.DocumentReasons[0].Samples[0].Source);
        Assert.Equal("Home and news", Assert.Single(Assert.Single(report.LineReasons).Samples).Excerpt);
        Assert.Equal(2, report.Lengths.Sum(length => length.Documents));
        Assert.Throws<InvalidOperationException>(() => Ingestion.CheckSums(manifest with { Filters = report with { Documents = 2 } }));
        Assert.Throws<InvalidOperationException>(() => Ingestion.CheckSums(manifest with { Filters = report with { LineBytes = 0 } }));
    }

    [Fact]
    public void All_filters_balance_on_real_text_and_keep_the_order_of_documents()
    {
        CorpusOptions options = Options(SharedData.Require("data/formats/made/wiki_paragraphs.jsonl")) with { Parts = 1 };
        Ingest(options, folder["all"]);
        IngestResult filtered = Ingest(options with { Filters = Every }, folder["filtered"]);
        Assert.InRange(filtered.Documents, 10, 640);
        List<string> all = Ids(folder["all"]);
        List<string> kept = Ids(folder["filtered"]);
        Assert.Equal(all.Where(kept.ToHashSet().Contains), kept);
        Assert.All(filtered.Manifest.Filters!.DocumentReasons, reason => Assert.InRange(reason.Samples.Count, 1, 10));
    }

    [Fact]
    public void Lines_that_many_documents_hold_are_removed_from_those_that_follow()
    {
        folder.Write("a.txt", string.Join("\n\n", Enumerable.Range(0, 5).Select(i => $"Menu\nText {i}.\nMenu")) + "\n\n menu\n\nMenu \n");
        CorpusOptions options = Options(folder["a.txt"]) with
        {
            Parts = 1,
            Filters = new CorpusFilterOptions { Boilerplate = new BoilerplateOptions { MaxDocuments = 3 } },
        };
        FilterReport report = Ingest(options, folder["out"]).Manifest.Filters!;
        Assert.Equal(
            ["Menu\nText 0.\nMenu", "Menu\nText 1.\nMenu", "Menu\nText 2.\nMenu", "Text 3.", "Text 4.", "menu"],
            DocumentParts.List(folder["out"]).SelectMany(DocumentParts.Read).Select(document => document.Text)
        );
        Assert.Equal((1L, 4L), (report.Documents, report.Lines));
    }

    [Fact]
    public void What_every_document_fails_is_told()
    {
        CorpusOptions options = Options(folder.Write("a.txt", "One.")) with
        {
            Filters = new CorpusFilterOptions { Length = new LengthFilterOptions() },
        };
        Assert.Contains("1 removed by filters", Assert.Throws<PermanentException>(() => Ingest(options, folder["out"])).Message);
    }

    [Fact]
    public void Options_out_of_range_are_all_named()
    {
        CorpusOptions options = Options(folder.Write("a.txt", "One.")) with
        {
            Filters = new CorpusFilterOptions
            {
                Length = new LengthFilterOptions { MinWords = -1 },
                GopherQuality = new GopherQualityOptions { Languages = ["en", "xx"], MaxBulletLines = 1.5 },
                GopherRepetition = new GopherRepetitionOptions { MaxTopNgrams = [0.1, -1] },
            },
        };
        string message = Assert.Throws<PermanentException>(() => Ingest(options, folder["out"])).Message;
        Assert.Contains("corpus.filters.length.minWords is -1; allowed: 0 or more", message);
        Assert.Contains("corpus.filters.gopherQuality.languages is xx", message);
        Assert.Contains("corpus.filters.gopherQuality.maxBulletLines is 1.5; allowed: 0 to 1", message);
        Assert.Contains("corpus.filters.gopherRepetition.maxTopNgrams[1] is -1", message);
    }

    private static CorpusFilterOptions Every { get; } =
        new()
        {
            Length = new LengthFilterOptions(),
            C4 = new C4Options(),
            GopherQuality = new GopherQualityOptions(),
            GopherRepetition = new GopherRepetitionOptions(),
            Language = new LanguageFilterOptions(),
            NearDuplicates = new NearDuplicateOptions(),
            Boilerplate = new BoilerplateOptions(),
        };

    private static List<string> Ids(string corpus) =>
        DocumentParts.List(corpus).SelectMany(DocumentParts.Read).Select(document => document.Id).ToList();
}
