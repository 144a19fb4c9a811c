using System.IO.Compression;
using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;
using ICSharpCode.SharpZipLib.BZip2;
using Xunit;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Shortcuts of the corpus tests.</summary>
internal static class CorpusTesting
{
    public static CorpusOptions Options(params string[] paths) => new() { Paths = paths };

    /// <summary>Documents and rejects of one file with the given bytes.</summary>
    public static (List<Document> Documents, List<Reject> Rejects) Read(
        string name,
        ReadOnlySpan<byte> bytes,
        CorpusOptions? options = null
    )
    {
        using var folder = new TemporaryFolder();
        return Read(folder.Write(name, bytes), options);
    }

    public static (List<Document> Documents, List<Reject> Rejects) Read(string name, string text, CorpusOptions? options = null) =>
        Read(name, Encoding.UTF8.GetBytes(text), options);

    public static (List<Document> Documents, List<Reject> Rejects) Read(string path, CorpusOptions? options = null)
    {
        SourceFile file = Assert.Single(SourceFiles.Resolve(Options(path)));
        List<ReadRecord> records = DocumentSource.Read(file, options ?? Options(path)).ToList();
        Assert.All(
            records,
            record => Assert.Single(new object?[] { record.Document, record.Reject, record.Skip }, found => found is not null)
        );
        return (
            records.Where(r => r.Document is not null).Select(r => r.Document!).ToList(),
            records.Where(r => r.Reject is not null).Select(r => r.Reject!).ToList()
        );
    }

    /// <summary>What was skipped of a file, by reason.</summary>
    public static Dictionary<string, int> Skips(string path, CorpusOptions? options = null) =>
        DocumentSource
            .Read(Assert.Single(SourceFiles.Resolve(Options(path))), options ?? Options(path))
            .Where(record => record.Skip is not null)
            .CountBy(record => record.Skip!.Reason)
            .ToDictionary();

    public static byte[] BZip2(params byte[][] members) =>
        members
            .SelectMany(member =>
            {
                using var bytes = new MemoryStream();
                using (var bzip2 = new BZip2OutputStream(bytes))
                {
                    bzip2.Write(member);
                }

                return bytes.ToArray();
            })
            .ToArray();

    public static byte[] Gzip(params byte[][] members) =>
        members
            .SelectMany(member =>
            {
                using var bytes = new MemoryStream();
                using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal))
                {
                    gzip.Write(member);
                }

                return bytes.ToArray();
            })
            .ToArray();

    public static byte[] Zstd(params byte[][] frames)
    {
        using var compressor = new Compressor();
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return frames.SelectMany(frame => compressor.Wrap(frame).ToArray()).ToArray();
    }

    public static IngestResult Ingest(CorpusOptions options, string output, string? cache = null) =>
        IngestProgram.Run(options, output, new SilentReporter(), TestContext.Current.CancellationToken, cache);
}

/// <summary>Keeps the last progress and the log.</summary>
internal sealed class SilentReporter : IStageReporter
{
    public (long Done, long Total, string Unit) LastProgress { get; private set; }

    public List<string> Lines { get; } = [];

    public void Progress(long done, long total, string unit) => LastProgress = (done, total, unit);

    public void Metric(string name, long step, double value) { }

    public void Log(string message) => Lines.Add(message);

    public void Checkpoint(long step, string folder) { }
}
