using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Cache;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class ReadAheadTests
{
    /// <summary>An error in a reader's thread would end the process.</summary>
    [Fact]
    public void Whoever_stops_early_leaves_no_reader_without_its_queue()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a.txt", string.Join("\n\n", Enumerable.Range(0, 20_000).Select(number => $"Document {number}.")));
        folder.Write("b.txt", string.Join("\n\n", Enumerable.Range(0, 20_000).Select(number => $"Text {number}.")));
        CorpusOptions options = Options(folder["a.txt"], folder["b.txt"]);
        var files = SourceFiles.Resolve(options);
        for (int round = 0; round < 50; round++)
        {
            using var ahead = new ReadAhead(files, new RecordCache(null), options, 2, TestContext.Current.CancellationToken);
            Assert.Equal("Document 0.", ahead.Batches().First().Records[0].Document!.Text);
            Thread.Yield();
        }
    }
}
