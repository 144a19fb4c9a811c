using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Configuration;

/// <summary>
/// Compares a JSON text with the records it is to fill and gathers every fault with its line and column, where the serializer would
/// stop at the first.
/// </summary>
internal sealed class ConfigSyntax
{
    private readonly byte[] json;
    private readonly List<string> faults = [];
    private readonly NullabilityInfoContext nullability = new();

    private ConfigSyntax(byte[] json) => this.json = json;

    /// <summary>The faults, in order of their place; none: the text can be deserialized.</summary>
    public static IReadOnlyList<string> FaultsOf<T>(byte[] json)
    {
        var syntax = new ConfigSyntax(json);
        var reader = new Utf8JsonReader(
            json,
            new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
        );
        try
        {
            reader.Read();
            syntax.CheckValue(ref reader, typeof(T), "", isNullable: false);
        }
        catch (JsonException e)
        {
            syntax.faults.Add(
                $"line {e.LineNumber + 1}, column {e.BytePositionInLine + 1}: this is not JSON: {e.Message.Split(" LineNumber")[0]}"
            );
        }

        return syntax.faults;
    }

    private void CheckValue(ref Utf8JsonReader reader, Type type, string path, bool isNullable)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (reader.TokenType == JsonTokenType.Null)
        {
            if (!isNullable)
            {
                Fault(reader, $"{path} is null; leave the key out for its default");
            }
        }
        else if (ElementOf(type) is { } element)
        {
            CheckList(ref reader, element, path);
        }
        else if (type == typeof(string))
        {
            Expect(ref reader, reader.TokenType == JsonTokenType.String, path, "a text in quotes");
        }
        else if (type == typeof(bool))
        {
            Expect(ref reader, reader.TokenType is JsonTokenType.True or JsonTokenType.False, path, "true or false");
        }
        else if (type == typeof(int))
        {
            Expect(ref reader, reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out _), path, "a whole number");
        }
        else if (type == typeof(double))
        {
            Expect(ref reader, reader.TokenType == JsonTokenType.Number, path, "a number");
        }
        else
        {
            CheckObject(ref reader, type, path);
        }
    }

    private void CheckList(ref Utf8JsonReader reader, Type element, string path)
    {
        if (!Expect(ref reader, reader.TokenType == JsonTokenType.StartArray, path, "a list in [ ]"))
        {
            return;
        }

        for (int i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            CheckValue(ref reader, element, $"{path}[{i}]", isNullable: false);
        }
    }

    private void CheckObject(ref Utf8JsonReader reader, Type type, string path)
    {
        if (!Expect(ref reader, reader.TokenType == JsonTokenType.StartObject, path.Length == 0 ? "the config" : path, "an object in { }"))
        {
            return;
        }

        var start = reader;
        var known = type.GetProperties()
            .Where(property => property.CanWrite)
            .ToDictionary(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name));
        var seen = new HashSet<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            string name = reader.GetString()!;
            if (!seen.Add(name))
            {
                Fault(reader, $"{Join(path, name)} is there twice");
            }

            if (known.TryGetValue(name, out var property))
            {
                reader.Read();
                CheckValue(
                    ref reader,
                    property.PropertyType,
                    Join(path, name),
                    nullability.Create(property).WriteState == NullabilityState.Nullable
                );
                continue;
            }

            string hint = NearestName.Of(name, known.Keys) is { } nearest
                ? $"; did you mean '{nearest}'?"
                : $"; known here: {string.Join(", ", known.Keys)}";
            Fault(reader, $"{Join(path, name)} is no known key{hint}");
            reader.Skip();
        }

        foreach (string missing in known.Where(pair => IsRequired(pair.Value) && !seen.Contains(pair.Key)).Select(pair => pair.Key))
        {
            Fault(start, $"{Join(path, missing)} is missing");
        }
    }

    private bool Expect(ref Utf8JsonReader reader, bool holds, string path, string what)
    {
        if (!holds)
        {
            Fault(reader, $"{path} must be {what}");
            reader.Skip();
        }

        return holds;
    }

    private void Fault(Utf8JsonReader reader, string message)
    {
        var before = json.AsSpan(0, (int)reader.TokenStartIndex);
        int line = before.Count((byte)'\n') + 1;
        int column = Encoding.UTF8.GetCharCount(before[(before.LastIndexOf((byte)'\n') + 1)..]) + 1;
        faults.Add($"line {line}, column {column}: {message}");
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static bool IsRequired(PropertyInfo property) => property.IsDefined(typeof(RequiredMemberAttribute), inherit: false);

    private static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;
}
