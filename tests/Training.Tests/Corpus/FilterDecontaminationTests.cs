using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class FilterDecontaminationTests : IDisposable
{
    private const string Evaluated = "Thirteen words in a row are what it takes to betray an evaluated sentence.";
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("dev.tsv", "text\tlabel\n{0}\tx\n")]
    [InlineData("dev.csv", "text,label\n\"{0}\",x\n")]
    [InlineData("dev.jsonl", "{{\"deep\":[{{\"text\":\"{0}\"}}],\"label\":1}}\n\n")]
    public void Documents_that_share_thirteen_words_are_removed(string name, string format)
    {
        string file = folder.Write(name, string.Format(format, Evaluated));
        var filter = new DecontaminationFilter(
            new DecontaminationOptions { Files = [file] },
            [SourceFile.Of(file, name, InputFolders.Anywhere)]
        );
        Assert.Contains(
            "Thirteen words",
            Judge(filter, "Before it.\n" + Evaluated.ToUpperInvariant() + " Behind it.").Detail,
            StringComparison.OrdinalIgnoreCase
        );
        Assert.Equal(
            "evaluation-text",
            Judge(
                filter,
                "Some words in a row are what it takes to betray an evaluated sentence. And thirteen words in a row are what it "
                    + "takes to betray an evaluated one."
            ).Reason
        );
        Assert.Null(Judge(filter, Evaluated.Replace("what", "all", StringComparison.Ordinal)).Reason);
    }

    [Fact]
    public void Sentences_of_a_real_task_are_found_in_a_corpus_and_counted()
    {
        string task = Directory
            .GetFiles(SharedData.Require("data/glue/RTE"), "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .First(path => path.EndsWith("dev.tsv", StringComparison.Ordinal));
        List<string> rows =
        [
            .. File.ReadLines(task)
                .Skip(1)
                .Select(line => line.Split('\t')[1])
                .Where(text => TextWords.Of(text).Count > 20)
                .Distinct()
                .Take(50),
        ];
        Assert.Equal(50, rows.Count);
        string paragraphs = SharedData.Require("data/formats/made/wiki_paragraphs.jsonl");
        folder.Write("leak.txt", string.Join("\n\n", rows.Select(row => "It was said: " + row)));
        CorpusOptions options = Options(paragraphs, folder["leak.txt"]);
        IngestResult all = Ingest(options, folder["all"]);
        IngestResult clean = Ingest(
            options with
            {
                Filters = new CorpusFilterOptions { Decontaminate = new DecontaminationOptions { Files = [task] } },
            },
            folder["clean"]
        );
        Assert.Equal(50, clean.Manifest.Filters!.Documents);
        Assert.Equal(all.Documents - 50, clean.Documents);
        Assert.Equal(["dev.tsv"], clean.Manifest.Options.Filters!.Decontaminate!.Files);
    }

    [Fact]
    public void A_missing_or_broken_file_is_named()
    {
        string broken = folder.Write("dev.jsonl", "{\"text\":\"fine\"}\nnonsense\n");
        Assert.Contains(
            "dev.jsonl of corpus.filters.decontaminate.files, line 2",
            Assert.Throws<PermanentException>(() => Chain(broken)).Message
        );
        Assert.Contains(
            "none.tsv of corpus.filters is no file",
            Assert.Throws<PermanentException>(() => Chain(folder["none.tsv"])).Message
        );
    }

    private static FilterChain Chain(string file)
    {
        var options = new CorpusFilterOptions { Decontaminate = new DecontaminationOptions { Files = [file] } };
        return new FilterChain(options, options.ResolveFiles(), threads: 1);
    }

    private static FilterVerdict Judge(DecontaminationFilter filter, string text) =>
        filter.Judge(new FilteredDocument(new Document("id", text, "source"), false));
}
