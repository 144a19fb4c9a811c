using System.Text.Json;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>One JSON object a line. Blank lines are passed over; a label may be text, a number or a boolean.</summary>
internal static class JsonLinesFile
{
    /// <summary>Values of the fields <paramref name="columns"/> of each object.</summary>
    public static IEnumerable<(long Line, IReadOnlyList<string> Values)> Rows(string path, byte[] content, IReadOnlyList<string> columns)
    {
        foreach ((long line, string text) in TextLines.Of(path, content).Where(item => !string.IsNullOrWhiteSpace(item.Text)))
        {
            yield return (line, Values(path, line, text, columns));
        }
    }

    private static string[] Values(string path, long line, string text, IReadOnlyList<string> columns)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? [.. columns.Select(column => Value(path, line, document.RootElement, column))]
                : throw new PermanentException($"{path}, line {line}: a JSON {document.RootElement.ValueKind}, not an object");
        }
        catch (JsonException fault)
        {
            throw new PermanentException($"{path}, line {line}: not JSON: {fault.Message}", fault);
        }
    }

    private static string Value(string path, long line, JsonElement row, string column)
    {
        if (!row.TryGetProperty(column, out JsonElement value))
        {
            throw TaskFile.MissingColumn(path, column, [.. row.EnumerateObject().Select(property => property.Name)], line);
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => throw new PermanentException(
                $"{path}, line {line}: \"{column}\" is a JSON {value.ValueKind}, not text, a number " + "or a boolean"
            ),
        };
    }
}
