using System.Text;
using CsvHelper;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>Comma-separated values with quoting (RFC 4180); the first line names the columns.</summary>
internal static class CommaSeparatedFile
{
    private static readonly CsvReaderOptions Rules = new()
    {
        Separator = ',',
        MalformedData = CsvMalformedDataHandling.Throw,
        FieldCountMismatch = CsvFieldCountHandling.Throw,
        TrackLineNumbers = true,
    };

    /// <summary>Values of <paramref name="columns"/> of each row; a row's line is the one it starts on.</summary>
    public static IEnumerable<(long Line, IReadOnlyList<string> Values)> Rows(string path, byte[] content, IReadOnlyList<string> columns)
    {
        using CsvReader csv = CsvReader.Create(content, Rules);
        int[]? places = null;
        while (Read(path, csv))
        {
            places ??= Places(path, [.. csv.Headers], columns);
            yield return (csv.LineNumber, [.. places.Select(place => Decode(path, csv, place))]);
        }
    }

    private static int[] Places(string path, string[] header, IReadOnlyList<string> columns) =>
        [
            .. columns.Select(column =>
                Array.IndexOf(header, column) is >= 0 and var found ? found : throw TaskFile.MissingColumn(path, column, header, line: 1)
            ),
        ];

    private static bool Read(string path, CsvReader csv)
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException fault)
        {
            throw new PermanentException($"{path}, line {fault.LineNumber}: not a row of comma-separated values: {fault.Message}", fault);
        }
    }

    private static string Decode(string path, CsvReader csv, int place)
    {
        try
        {
            return TaskFile.StrictUtf8.GetString(csv.GetSpan(place));
        }
        catch (DecoderFallbackException fault)
        {
            throw new PermanentException($"{path}, line {csv.LineNumber}: not UTF-8 ({fault.Message}); save the file as UTF-8", fault);
        }
    }
}
