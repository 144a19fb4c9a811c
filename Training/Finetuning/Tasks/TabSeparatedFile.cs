using System.Globalization;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>
/// Tab-separated values as GLUE publishes them: no quoting, so a quotation mark is a character like any other. The first line names the
/// columns, unless all columns in use are called by place ("#0" is the first), as CoLA needs.
/// </summary>
internal static class TabSeparatedFile
{
    /// <summary>Values of <paramref name="columns"/> of each row.</summary>
    public static IEnumerable<(long Line, IReadOnlyList<string> Values)> Rows(string path, byte[] content, IReadOnlyList<string> columns)
    {
        int[]? places = columns.All(column => Place(column) is not null) ? [.. columns.Select(column => Place(column)!.Value)] : null;
        bool headerless = places is not null;
        int width = 0;
        foreach ((long line, string text) in TextLines.Of(path, content))
        {
            string[] fields = text.Split('\t');
            width = width == 0 ? fields.Length : width;
            if (fields.Length != width)
            {
                throw new PermanentException(
                    $"{path}, line {line}: {fields.Length} columns, the first line has {width}; tabs separate columns and quotation "
                        + "marks do not join them"
                );
            }

            if (places is null)
            {
                places =
                [
                    .. columns.Select(column =>
                        Array.IndexOf(fields, column) is >= 0 and var found
                            ? found
                            : throw TaskFile.MissingColumn(path, column, fields, line)
                    ),
                ];
            }
            else if (headerless && places.Any(place => place >= width))
            {
                throw new PermanentException(
                    $"{path}, line {line}: {width} columns, \"#{places.Max()}\" is asked for (\"#0\" is " + "the first)"
                );
            }
            else
            {
                yield return (line, [.. places.Select(place => fields[place])]);
            }
        }
    }

    private static int? Place(string column) =>
        column.StartsWith('#') && int.TryParse(column.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int place)
            ? place
            : null;
}
