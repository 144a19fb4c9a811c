using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Serialization;
using ElectraPipeline.Training.Corpus.Filters;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// What ingestion read and wrote; "manifest.json" of the corpus. A function of inputs and options: no times, no absolute paths.
/// </summary>
public sealed record CorpusManifest
{
    // A race of two threads costs one parse more.
    private static volatile Known? latest;

    /// <summary>Layout of the folder; raised when it changes.</summary>
    public int Version { get; init; } = 2;

    /// <summary>The options, with the last part of each path only.</summary>
    public required CorpusOptions Options { get; init; }

    /// <summary>The files read, in order.</summary>
    public required IReadOnlyList<InputFile> Inputs { get; init; }

    /// <summary>Bytes of the files read, on the disk. The sum over <see cref="Inputs"/>.</summary>
    public required long BytesIn { get; init; }

    /// <summary>
    /// Records met. The sum of <see cref="Documents"/>, <see cref="Duplicates"/>, <see cref="Empty"/>, <see cref="Skipped"/>,
    /// <see cref="Rejected"/> and what <see cref="Filters"/> removed.
    /// </summary>
    public required long Records { get; init; }

    /// <summary>Documents written.</summary>
    public required long Documents { get; init; }

    /// <summary>Documents left out because their text, or each of their lines, had appeared before.</summary>
    public required long Duplicates { get; init; }

    /// <summary>Documents left out because they hold white space only.</summary>
    public required long Empty { get; init; }

    /// <summary>Sound records that are no documents by their kind: requests, images, redirects. The sum over <see cref="Skips"/>.</summary>
    public required long Skipped { get; init; }

    /// <summary>Records that could not be read. The sum over <see cref="Rejects"/>.</summary>
    public required long Rejected { get; init; }

    /// <summary>
    /// UTF-8 bytes of the text read, line ends included. The sum of <see cref="TextBytesOut"/>, <see cref="DuplicateDocumentBytes"/>,
    /// <see cref="DuplicateLineBytes"/> and what <see cref="Filters"/> removed.
    /// </summary>
    public required long TextBytesRead { get; init; }

    /// <summary>UTF-8 bytes of the text written, line ends included.</summary>
    public required long TextBytesOut { get; init; }

    /// <summary>UTF-8 bytes left out with duplicate documents.</summary>
    public required long DuplicateDocumentBytes { get; init; }

    /// <summary>UTF-8 bytes left out with duplicate lines of other documents.</summary>
    public required long DuplicateLineBytes { get; init; }

    /// <summary>Lines (sentences) written.</summary>
    public required long Lines { get; init; }

    /// <summary>
    /// Lines left out because they had appeared before; those of documents that are duplicates as a whole are not counted.
    /// </summary>
    public required long DuplicateLines { get; init; }

    /// <summary>What was skipped, by reason, the most frequent first.</summary>
    public required IReadOnlyList<RejectCount> Skips { get; init; }

    /// <summary>What could not be read, by reason, the most frequent first.</summary>
    public required IReadOnlyList<RejectCount> Rejects { get; init; }

    /// <summary>Links in folders that were not followed, as they lead elsewhere; null: there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LinksLeftOut? LinksLeftOut { get; init; }

    /// <summary>What the filters removed; null without filters.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FilterReport? Filters { get; init; }

    /// <summary>Ten documents that were written, chosen by the hashes of their texts, so at random but always the same.</summary>
    public IReadOnlyList<DocumentSample> Samples { get; init; } = [];

    /// <summary>The files written.</summary>
    public required IReadOnlyList<OutputPart> Parts { get; init; }

    internal static JsonSerializerOptions Json { get; } =
        new(JsonSerializerDefaults.Web)
        {
            WriteIndented = true,
            RespectNullableAnnotations = true,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };

    /// <summary>
    /// Reads the manifest of a corpus folder. Bytes that were read last time too are not parsed again: thousands of stages in a row read
    /// the manifest of thousands of parts.
    /// </summary>
    /// <exception cref="PermanentException">There is none, or it is damaged.</exception>
    public static CorpusManifest Read(string folder)
    {
        string path = Path.Combine(folder, DocumentParts.ManifestName);
        if (!File.Exists(path))
        {
            throw new PermanentException(
                $"{folder} is no corpus: it has no {DocumentParts.ManifestName}; run the ingest stage to make one"
            );
        }

        try
        {
            using FileStream file = File.OpenRead(path);
            UInt128 hash = HashOf(file);
            if (latest is not { } known || known.Hash != hash)
            {
                file.Position = 0;
                latest = known = new(hash, JsonSerializer.Deserialize<CorpusManifest>(file, Json)!);
            }

            return known.Manifest;
        }
        catch (JsonException exception)
        {
            throw new PermanentException($"{path} is damaged: {exception.Message}; run the ingest stage again", exception);
        }
    }

    private static UInt128 HashOf(Stream stream)
    {
        var hash = new XxHash128();
        hash.Append(stream);
        return hash.GetCurrentHashAsUInt128();
    }

    private sealed record Known(UInt128 Hash, CorpusManifest Manifest);
}

/// <summary>
/// How many links were not followed, and the first of their names, relative to the entry of <see cref="CorpusOptions.Paths"/>.
/// </summary>
public sealed record LinksLeftOut(long Count, IReadOnlyList<string> Samples);

/// <summary>A document that was written.</summary>
/// <param name="Source">The file it is from.</param>
/// <param name="Id">Its id.</param>
/// <param name="Excerpt">Its beginning.</param>
public sealed record DocumentSample(string Source, string Id, string Excerpt);

/// <summary>One file read.</summary>
/// <param name="Name">Relative to the entry of <see cref="CorpusOptions.Paths"/>.</param>
/// <param name="Format">The reader that read it; "unknown" if none could.</param>
/// <param name="Bytes">On the disk.</param>
/// <param name="Sha256">Of those bytes.</param>
/// <param name="Records">Records in it, of every outcome.</param>
public sealed record InputFile(string Name, string Format, long Bytes, string Sha256, long Records);

/// <summary>The rejects or skips of one reason, and the first few of them.</summary>
public sealed record RejectCount(string Reason, long Count, IReadOnlyList<Reject> Samples);

/// <summary>One file of documents.</summary>
/// <param name="Name">In the corpus folder.</param>
/// <param name="Documents">Documents in it.</param>
/// <param name="TextBytes">UTF-8 bytes of their text, line ends included.</param>
/// <param name="XxHash3">Of its lines, each with its line feed, before compression; null in manifests of before it was told.</param>
public sealed record OutputPart(string Name, long Documents, long TextBytes, string? XxHash3 = null);
