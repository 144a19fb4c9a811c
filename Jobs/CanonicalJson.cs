using System.Text.Json;
using System.Text.Json.Serialization;

namespace ElectraPipeline.Jobs;

/// <summary>How options and results are written: one form, so that equal values have equal digests.</summary>
public static class CanonicalJson
{
    /// <summary>camelCase, every property in declaration order, no white space.</summary>
    public static JsonSerializerOptions Options { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            DictionaryKeyPolicy = null,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };

    private static JsonSerializerOptions WithoutNulls { get; } =
        new(Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The value's canonical text.</summary>
    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    /// <summary>
    /// The text that options enter a fingerprint by: canonical, without what is null. So an option that is added later, and whose null
    /// means what was before, changes no fingerprint, and no weeks of training are done again for it.
    /// </summary>
    public static string Ingredient<T>(T value) => JsonSerializer.Serialize(value, WithoutNulls);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static T Read<T>(string json) =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new JsonException($"'null' stands where a {typeof(T).Name} should");
}
