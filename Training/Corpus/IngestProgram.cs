using System.Text.Json;
using ElectraPipeline.Training.Corpus.Cache;
using ElectraPipeline.Training.Corpus.Readers;

namespace ElectraPipeline.Training.Corpus;

/// <summary>What ingestion made.</summary>
/// <param name="Documents">Documents written.</param>
/// <param name="TextBytes">UTF-8 bytes of their text.</param>
/// <param name="Manifest">Everything else.</param>
/// <param name="FilesReused">Files that were not read because the cache knew them.</param>
public sealed record IngestResult(long Documents, long TextBytes, CorpusManifest Manifest, int FilesReused);

/// <summary>Reads the corpus, whatever its formats, and writes one clean form of it in parts.</summary>
public static class IngestProgram
{
    /// <summary>Parts of a corpus at most.</summary>
    public const int MaxParts = 10_000;

    private const int LinksNamed = 10;

    /// <summary>
    /// Reads what <see cref="SourceFiles.Resolve"/> finds and writes "documents-00000.jsonl" and so on (".zst" if compressed), then
    /// "manifest.json",
    /// to <paramref name="outputFolder"/>. The bytes are a function of the inputs' bytes and names and the options. Memory grows
    /// only by hashes (about 25 bytes each) of documents (and of lines, if duplicate lines are dropped).
    /// </summary>
    /// <param name="options">What to read, and how.</param>
    /// <param name="outputFolder">Gets the corpus.</param>
    /// <param name="reporter">Hears progress in bytes.</param>
    /// <param name="cancellationToken">Stops it between records.</param>
    /// <param name="cacheFolder">
    /// Keeps what reading each file gave; the next ingestion with the same folder reads only files that are new or changed. It
    /// changes no byte of the output. Null: every file is read.
    /// </param>
    /// <param name="threads">How many read, judge and write; null: one a processor. They change no byte of the output.</param>
    /// <param name="files">What was found by these options before, and must not have changed since; null: looks now.</param>
    /// <exception cref="PermanentException">
    /// Nothing to read, no document found, a reject with "fail", more rejects than allowed, or an option out of range.
    /// </exception>
    /// <exception cref="IOException">
    /// The disk is full (the message names file and free bytes) or an input changed while it was read.
    /// </exception>
    public static IngestResult Run(
        CorpusOptions options,
        string outputFolder,
        IStageReporter reporter,
        CancellationToken cancellationToken,
        string? cacheFolder = null,
        int? threads = null,
        CorpusFiles? files = null
    )
    {
        int workers = threads ?? Environment.ProcessorCount;
        Check(options);
        files ??= CorpusFiles.Resolve(options);
        using var writers = new PartWriters(outputFolder, options.Parts, options.Compress, workers);
        var cache = new RecordCache(cacheFolder);
        var ingestion = new Ingestion(options, files, cache, writers, reporter, workers);
        ingestion.Read(cancellationToken);
        CorpusManifest manifest = ingestion.Finish() with { LinksLeftOut = LeftOut(files.Links, reporter) };
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(manifest, CorpusManifest.Json);
        DurableFile.Write(Path.Combine(outputFolder, DocumentParts.ManifestName), json);
        cache.Prune();
        return new IngestResult(manifest.Documents, manifest.TextBytesOut, manifest, cache.FilesReused);
    }

    private static LinksLeftOut? LeftOut(IReadOnlyList<string> links, IStageReporter reporter)
    {
        if (links.Count == 0)
        {
            return null;
        }

        string[] samples = [.. links.Take(LinksNamed)];
        reporter.Log(
            $"{links.Count} links lead out of their folder, nowhere, or from one linked folder to another, and were not followed: "
                + $"{string.Join(", ", samples)}{(links.Count > samples.Length ? ", ..." : "")}; name in corpus.paths what they lead "
                + "to and it is read"
        );
        return new LinksLeftOut(links.Count, samples);
    }

    private static void Check(CorpusOptions options)
    {
        DocumentFormats.Check(options.Format);
        Require(options.Parts is >= 1 and <= MaxParts, $"corpus.parts is {options.Parts}; it must be in [1, {MaxParts}]");
        Require(options.OnReject is "skip" or "fail", $"corpus.onReject is \"{options.OnReject}\"; it must be \"skip\" or \"fail\"");
        Require(options.MaxRejectShare is >= 0 and <= 1, $"corpus.maxRejectShare is {options.MaxRejectShare}; it must be in [0, 1]");
        Require(options.MaxDocumentBytes >= 1, $"corpus.maxDocumentBytes is {options.MaxDocumentBytes}; it must be at least 1");
        Require(options.MaxExpansion >= 1, $"corpus.maxExpansion is {options.MaxExpansion}; it must be at least 1");
        Require(options.TextField.Length > 0, "corpus.textField is empty; name the JSON field that holds the text");
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new PermanentException(message);
        }
    }
}
