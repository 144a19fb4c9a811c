using System.Text.Json;
using ElectraPipeline.Training.Corpus.Readers;

namespace ElectraPipeline.Training.Corpus;

/// <summary>What ingestion made.</summary>
/// <param name="Documents">Documents written.</param>
/// <param name="TextBytes">UTF-8 bytes of their text.</param>
/// <param name="Manifest">Everything else.</param>
public sealed record IngestResult(long Documents, long TextBytes, CorpusManifest Manifest);

/// <summary>Reads the corpus, whatever its formats, and writes one clean form of it in parts.</summary>
public static class IngestProgram
{
    private const int MaxParts = 4_096;

    /// <summary>
    /// Reads what <see cref="SourceFiles.Resolve"/> finds and writes "documents-00000.jsonl.zst" and so on, then "manifest.json",
    /// to <paramref name="outputFolder"/>. The bytes are a function of the inputs' bytes and names and the options. Memory grows
    /// only by 16-byte hashes of documents (and of lines, if duplicate lines are dropped).
    /// </summary>
    /// <exception cref="PermanentException">
    /// Nothing to read, no document found, a reject with "fail", more rejects than allowed, or an option out of range.
    /// </exception>
    /// <exception cref="IOException">The disk is full (the message names file and free bytes) or an input changed while it was read.</exception>
    public static IngestResult Run(CorpusOptions options, string outputFolder, IStageReporter reporter, CancellationToken cancellationToken)
    {
        Check(options);
        IReadOnlyList<SourceFile> files = SourceFiles.Resolve(options);
        using var writers = new PartWriters(outputFolder, options.Parts);
        var ingestion = new Ingestion(options, writers, reporter, files.Sum(file => file.Length));
        foreach (SourceFile file in files)
        {
            ingestion.Read(file, cancellationToken);
        }

        CorpusManifest manifest = ingestion.Finish();
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(manifest, CorpusManifest.Json);
        DurableFile.Write(Path.Combine(outputFolder, DocumentParts.ManifestName), json);
        return new IngestResult(manifest.Documents, manifest.TextBytesOut, manifest);
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
