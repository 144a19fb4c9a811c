using System.Text.Json;
using System.Text.Json.Serialization;
using ElectraPipeline.Training.Corpus.Readers;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ElectraPipeline.Training.Corpus.Cache;

/// <summary>
/// A file with the records of one source file: JSON lines in one checked zstd frame, first the format, then the records in order, last
/// their number.
/// </summary>
internal static class CachedRecords
{
    /// <summary>What names of such files end with.</summary>
    public const string Extension = ".records.zst";

    private const int CompressionLevel = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        Encoder = DocumentParts.LineOptions.Encoder,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The records, lazily.</summary>
    /// <param name="path">Written by a <see cref="Writer"/>.</param>
    /// <param name="onFormat">Hears the format before the first record.</param>
    /// <exception cref="IOException">The file is damaged; it is deleted, so that trying again reads the source.</exception>
    public static IEnumerable<ReadRecord> Read(string path, Action<SourceFormat> onFormat)
    {
        using var zstd = new DecompressionStream(File.OpenRead(path), leaveOpen: false);
        var lines = new LineReader(zstd, 0, int.MaxValue - 64);
        onFormat(Next(lines, path)?.Format ?? throw Damaged(path, "it does not begin with a format"));
        long count = 0;
        long? told = null;
        while (Next(lines, path) is { } line)
        {
            told = line.Count;
            if (told is null)
            {
                count++;
                yield return new ReadRecord(line.Document, line.Reject, line.Skip);
            }
        }

        if (told != count)
        {
            throw Damaged(path, $"it holds {count} records and tells {told?.ToString() ?? "no number"}");
        }
    }

    /// <summary>Null at the end, which is read too: only behind it is the checksum known to be right.</summary>
    private static Line? Next(LineReader lines, string path)
    {
        try
        {
            return lines.Read() ? JsonSerializer.Deserialize<Line>(lines.Line.Span, Json) : null;
        }
        catch (Exception exception) when (SourceContent.IsDamage(exception) || exception is JsonException)
        {
            throw Damaged(path, exception.Message);
        }
    }

    private static IOException Damaged(string path, string why)
    {
        File.Delete(path);
        return new IOException($"{path}, which keeps records of a source file, was damaged ({why}) and is deleted; retry, and the source is read");
    }

    /// <summary>Writes one such file; without <see cref="Commit"/> nothing is left of it.</summary>
    public sealed class Writer : IDisposable
    {
        private readonly string path;
        private readonly string temporary;
        private readonly PendingFile file;
        private readonly CompressionStream zstd;
        private readonly JsonLineWriter lines;
        private long count;

        public Writer(string path)
        {
            this.path = path;
            // Two workers may read the same source: each has a name of its own until the last moment.
            temporary = $"{path}.{Guid.NewGuid():N}";
            file = new PendingFile(temporary);
            zstd = new CompressionStream(file.Stream, CompressionLevel, leaveOpen: true);
            zstd.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
            lines = new JsonLineWriter(zstd, Json);
        }

        public void Begin(SourceFormat format) => lines.Write(new Line { Format = format });

        public void Write(ReadRecord record)
        {
            count++;
            lines.Write(new Line { Document = record.Document, Reject = record.Reject, Skip = record.Skip });
        }

        public void Commit()
        {
            lines.Write(new Line { Count = count });
            zstd.Dispose();
            file.Commit();
            File.Move(temporary, path, overwrite: true);
        }

        /// <summary>An unfinished frame is abandoned: ending it would write to the file that is about to be deleted.</summary>
        public void Dispose() => file.Dispose();
    }

    private sealed record Line
    {
        public SourceFormat? Format { get; init; }

        public Document? Document { get; init; }

        public Reject? Reject { get; init; }

        public Reject? Skip { get; init; }

        public long? Count { get; init; }
    }
}
