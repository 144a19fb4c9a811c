using System.Text.Json;

namespace ElectraPipeline.Dashboard.Components;

/// <summary>How pieces of JSON read on a page.</summary>
internal static class JsonText
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    /// <summary>The same JSON, one key a line.</summary>
    public static string Pretty(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return JsonSerializer.Serialize(document.RootElement, _indented);
    }

    /// <summary>The JSON as a value that needs no disposal.</summary>
    public static JsonElement Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>"sourceBytes" and "source_bytes" become "source bytes"; names with a slash are metrics and stay.</summary>
    public static string Label(string name)
    {
        if (name.Contains('/'))
        {
            return name;
        }

        IEnumerable<string> letters = name.Select(
            (letter, index) =>
                letter == '_' ? " "
                : char.IsUpper(letter) && index > 0 && char.IsLower(name[index - 1]) ? " " + char.ToLowerInvariant(letter)
                : index == 0 ? char.ToLowerInvariant(letter).ToString()
                : letter.ToString()
        );
        return string.Concat(letters);
    }

    /// <summary>True for what fits on one line: no object, and no array but a short one of plain values.</summary>
    public static bool IsScalar(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => false,
            JsonValueKind.Array => value.GetArrayLength() > 0
                && value.EnumerateArray().All(item => item.ValueKind is not JsonValueKind.Object and not JsonValueKind.Array),
            _ => true,
        };

    /// <summary>True for an object or array with nothing in it.</summary>
    public static bool IsEmpty(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => !value.EnumerateObject().Any(),
            JsonValueKind.Array => value.GetArrayLength() == 0,
            _ => false,
        };

    /// <summary>True for a SHA-256 in hex, which is shown in fixed width.</summary>
    public static bool IsDigest(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: 64 } text && text.All(char.IsAsciiHexDigit);

    /// <summary>A plain value as text.</summary>
    public static string Scalar(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Null => "none",
            JsonValueKind.True => "yes",
            JsonValueKind.False => "no",
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => value.TryGetInt64(out long whole) ? Display.Count(whole) : Display.Value(value.GetDouble()),
            JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(Scalar)),
            _ => value.GetRawText(),
        };

    /// <summary>The keys of the objects in an array, in order of appearance; empty if it holds anything but objects.</summary>
    public static IReadOnlyList<string> Columns(JsonElement array) =>
        array.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object)
            ? [.. array.EnumerateArray().SelectMany(item => item.EnumerateObject().Select(property => property.Name)).Distinct()]
            : [];
}
