using System.IO.Compression;
using System.Text;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>A file of labelled texts, read by the format that its extension names.</summary>
internal static class TaskFile
{
    internal static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads .tsv, .csv, .jsonl (and each with .gz behind it) into examples, in the file's order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">Which of its columns are read.</param>
    /// <param name="sha256">Its digest; null: any.</param>
    /// <exception cref="PermanentException">File, column or row is missing or malformed; the message names it and its line.</exception>
    public static IReadOnlyList<TaskExample> Read(string path, TaskColumns columns, string? sha256 = null)
    {
        TaskExample[] examples = [.. Rows(path, columns.Names, sha256).Select(row => Example(path, row.Line, row.Values, columns))];
        return examples.Length > 0 ? examples : throw new PermanentException($"{path}: the file holds no labelled text");
    }

    /// <summary>The bytes of a file, unpacked if its name ends with .gz, without a byte order mark.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sha256">Its digest; null: any.</param>
    /// <exception cref="PermanentException">It is missing or damaged, or grows as no text does.</exception>
    /// <exception cref="IOException">Its digest is another: it changed since it was looked at.</exception>
    public static byte[] ReadBytes(string path, string? sha256 = null)
    {
        if (!File.Exists(path))
        {
            throw new PermanentException($"{path}: there is no such file of labelled texts");
        }

        byte[] stored = CheckedFile.ReadAllBytes(path, sha256);
        byte[] content = IsCompressed(path) ? Unzip(path, stored) : stored;
        return content.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? content[3..] : content;
    }

    /// <summary>The fault of a column that is not there.</summary>
    public static PermanentException MissingColumn(string path, string column, IReadOnlyCollection<string> available, long line)
    {
        string nearest = NearestName.Of(column, available) is { } name ? $"; did you mean \"{name}\"?" : "";
        return new PermanentException(
            $"{path}, line {line}: there is no column \"{column}\" among "
                + $"{string.Join(", ", available.Select(name => $"\"{name}\""))}{nearest}"
        );
    }

    private static IEnumerable<(long Line, IReadOnlyList<string> Values)> Rows(string path, IReadOnlyList<string> columns, string? sha256)
    {
        string extension = Path.GetExtension(IsCompressed(path) ? path[..^3] : path).ToLowerInvariant();
        byte[] content = ReadBytes(path, sha256);
        return extension switch
        {
            ".tsv" => TabSeparatedFile.Rows(path, content, columns),
            ".csv" => CommaSeparatedFile.Rows(path, content, columns),
            ".jsonl" => JsonLinesFile.Rows(path, content, columns),
            _ => throw new PermanentException(
                $"{path}: labelled texts are read from .tsv, .csv and .jsonl files (or these with " + $".gz), not \"{extension}\""
            ),
        };
    }

    private static bool IsCompressed(string path) => path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);

    private static TaskExample Example(string path, long line, IReadOnlyList<string> values, TaskColumns columns)
    {
        TaskExample example = columns.Example(values);
        return example.Label.Length > 0
            ? example
            : throw new PermanentException($"{path}, line {line}: the label (column \"{columns.Label}\") is empty");
    }

    private static byte[] Unzip(string path, byte[] stored)
    {
        try
        {
            using GZipStream gzip = new(new MemoryStream(stored), CompressionMode.Decompress);
            using MemoryStream content = new();
            byte[] chunk = new byte[1 << 16];
            for (int count; (count = gzip.Read(chunk)) > 0; )
            {
                content.Write(chunk, 0, count);
                if (Expansion.IsBomb(stored.LongLength, content.Length, Expansion.Usual))
                {
                    throw new PermanentException(
                        $"{path}: its {stored.Length} bytes grow to more than {Expansion.Usual} times as many, as no text does: a "
                            + "decompression bomb"
                    );
                }
            }

            return content.ToArray();
        }
        catch (InvalidDataException fault)
        {
            throw new PermanentException($"{path}: not a whole gzip file: {fault.Message}", fault);
        }
    }
}
