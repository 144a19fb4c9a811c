using System.Text.Encodings.Web;
using System.Text.Json;
using ElectraPipeline.Training.Corpus.Readers;
using ZstdSharp;

namespace ElectraPipeline.Training.Corpus;

/// <summary>The files of a corpus folder: JSON lines with id, source and text, compressed with zstd.</summary>
public static class DocumentParts
{
    internal const string ManifestName = "manifest.json";

    /// <summary>Paths of the parts, in order.</summary>
    /// <exception cref="PermanentException">The folder is no corpus, or a part that its manifest lists is missing.</exception>
    public static IReadOnlyList<string> List(string folder) => CorpusManifest.Read(folder).Parts.Select(part =>
    {
        string path = Path.Combine(folder, part.Name);
        return File.Exists(path) ? path : throw new PermanentException($"{path} is missing though the manifest beside it lists it; ingest again");
    }).ToList();

    /// <summary>The documents of a part, lazily, in the order they were written.</summary>
    /// <exception cref="PermanentException">The part is damaged; the message names the line.</exception>
    public static IEnumerable<Document> Read(string partPath)
    {
        using var zstd = new DecompressionStream(File.OpenRead(partPath), leaveOpen: false);
        var lines = new LineReader(zstd, 0, int.MaxValue - 64);
        while (Next(lines, partPath, out Document? document))
        {
            yield return document!;
        }
    }

    internal static string NameOf(int part) => $"documents-{part:00000}.jsonl.zst";

    private static bool Next(LineReader lines, string path, out Document? document)
    {
        document = null;
        try
        {
            bool any = lines.Read();
            document = any ? JsonSerializer.Deserialize<Document>(lines.Line.Span, LineOptions) : null;
            return any;
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception) || exception is JsonException)
        {
            throw new PermanentException($"{path} is damaged behind line {lines.Number}: {exception.Message}; ingest again", exception);
        }
    }

    internal static JsonSerializerOptions LineOptions { get; } = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
