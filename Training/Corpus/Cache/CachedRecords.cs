using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ElectraPipeline.Training.Corpus.Cache;

/// <summary>
/// A file with the records of one source file: JSON lines, first the format, then the records in order, last their number and the hash of
/// all before.
/// </summary>
internal static class CachedRecords
{
    /// <summary>What names of such files end with.</summary>
    public const string Extension = ".records";

    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The records, lazily.</summary>
    /// <param name="path">Written by a <see cref="Writer"/>.</param>
    /// <param name="onFormat">Hears the format before the first record.</param>
    /// <exception cref="IOException">The file is damaged; it is deleted, so that trying again reads the source.</exception>
    public static IEnumerable<ReadRecord> Read(string path, Action<SourceFormat> onFormat)
    {
        using var lines = new StoredLines(path, (found, exception) => Damaged(path, found, exception));
        Line line = new();
        void Parse(ReadOnlySpan<byte> bytes) => line = LineOf(bytes);
        bool any = lines.Read(Parse);
        onFormat(any && line.Format is { } format ? format : throw Damaged(path, "at its beginning: there is no format", null));
        long count = 0;
        (long? told, bool isWhole) = (null, false);
        void ParseRecord(ReadOnlySpan<byte> bytes)
        {
            line = LineOf(bytes);
            isWhole = line.Count is not null && line.XxHash3 == lines.Hash;
        }

        while (lines.Read(ParseRecord))
        {
            told = line.Count;
            if (told is null)
            {
                count++;
                yield return new ReadRecord(line.Document, line.Reject, line.Skip);
            }
        }

        if (told != count || !isWhole)
        {
            throw Damaged(
                path,
                $"somewhere: it holds {count} records and tells {told?.ToString() ?? "no number"}, or they have another hash than it tells",
                null
            );
        }
    }

    /// <summary>Documents are as in parts; all other lines are told by their one field.</summary>
    private static Line LineOf(ReadOnlySpan<byte> bytes) =>
        DocumentLine.TryFind(bytes, out _, out _, out _)
            ? new Line { Document = DocumentLine.Read(bytes) }
            : JsonSerializer.Deserialize<Line>(bytes, Json) ?? throw new JsonException("it holds null");

    private static IOException Damaged(string path, string found, Exception? cause)
    {
        File.Delete(path);
        return new IOException(
            $"{path}, which keeps records of a source file, was damaged {found}; it is deleted: retry, and the source is read",
            cause
        );
    }

    /// <summary>Writes one such file; without <see cref="Commit"/> nothing is left of it.</summary>
    public sealed class Writer : IDisposable
    {
        private readonly string path;
        private readonly string temporary;
        private readonly StoredLinesWriter lines;
        private long count;

        public Writer(string path, bool compress)
        {
            this.path = path;
            // Two workers may read the same source: each has a name of its own until the last moment.
            temporary = $"{path}.{Guid.NewGuid():N}";
            lines = new StoredLinesWriter(temporary, compress, durable: false);
        }

        public void Begin(SourceFormat format) => Write(new Line { Format = format });

        public void Write(ReadRecord record)
        {
            count++;
            if (record.Document is { } document)
            {
                lines.Write(document);
            }
            else
            {
                Write(new Line { Reject = record.Reject, Skip = record.Skip });
            }
        }

        public void Commit()
        {
            Write(new Line { Count = count, XxHash3 = lines.Hash() });
            lines.Commit();
            File.Move(temporary, path, overwrite: true);
        }

        public void Dispose() => lines.Dispose();

        private void Write(Line line) => lines.Write(JsonSerializer.SerializeToUtf8Bytes(line, Json));
    }

    private sealed record Line
    {
        public SourceFormat? Format { get; init; }

        [JsonIgnore]
        public Document? Document { get; init; }

        public Reject? Reject { get; init; }

        public Reject? Skip { get; init; }

        public long? Count { get; init; }

        public string? XxHash3 { get; init; }
    }
}
