using System.IO.Compression;
using System.Text;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>A file of labelled texts, read by the format that its extension names.</summary>
internal static class TaskFile
{
    internal static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads .tsv, .csv, .jsonl (and each with .gz behind it) into examples, in the file's order.</summary>
    /// <exception cref="PermanentException">File, column or row is missing or malformed; the message names it and its line.</exception>
    public static IReadOnlyList<TaskExample> Read(string path, TaskColumns columns)
    {
        TaskExample[] examples = [.. Rows(path, columns.Names).Select(row => Example(path, row.Line, row.Values, columns))];
        return examples.Length > 0 ? examples : throw new PermanentException($"{path}: the file holds no labelled text");
    }

    /// <summary>The bytes of a file, unpacked if its name ends with .gz, without a byte order mark.</summary>
    /// <exception cref="PermanentException">It is missing or damaged.</exception>
    public static byte[] ReadBytes(string path)
    {
        if (!File.Exists(path))
        {
            throw new PermanentException($"{path}: there is no such file of labelled texts");
        }

        byte[] content = IsCompressed(path) ? Unzip(path) : File.ReadAllBytes(path);
        return content.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? content[3..] : content;
    }

    /// <summary>The fault of a column that is not there.</summary>
    public static PermanentException MissingColumn(string path, string column, IReadOnlyCollection<string> available, long line)
    {
        string nearest = NearestName.Of(column, available) is { } name ? $"; did you mean \"{name}\"?" : "";
        return new PermanentException(
            $"{path}, line {line}: there is no column \"{column}\" among "
                + $"{string.Join(", ", available.Select(name => $"\"{name}\""))}{nearest}");
    }

    private static IEnumerable<(long Line, IReadOnlyList<string> Values)> Rows(string path, IReadOnlyList<string> columns)
    {
        string extension = Path.GetExtension(IsCompressed(path) ? path[..^3] : path).ToLowerInvariant();
        byte[] content = ReadBytes(path);
        return extension switch
        {
            ".tsv" => TabSeparatedFile.Rows(path, content, columns),
            ".csv" => CommaSeparatedFile.Rows(path, content, columns),
            ".jsonl" => JsonLinesFile.Rows(path, content, columns),
            _ => throw new PermanentException($"{path}: labelled texts are read from .tsv, .csv and .jsonl files (or these with "
                + $".gz), not \"{extension}\""),
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

    private static byte[] Unzip(string path)
    {
        try
        {
            using GZipStream gzip = new(File.OpenRead(path), CompressionMode.Decompress);
            using MemoryStream content = new();
            gzip.CopyTo(content);
            return content.ToArray();
        }
        catch (InvalidDataException fault)
        {
            throw new PermanentException($"{path}: not a whole gzip file: {fault.Message}", fault);
        }
    }
}
