using System.Globalization;
using System.Text.Json;

namespace ElectraPipeline.Cli.Rendering;

/// <summary>The held-out metrics of a model version, as its JSON has them.</summary>
internal static class HeldOut
{
    public const string GeneratorLoss = "heldout/generator_loss";
    public const string LanguageModelLoss = "heldout/language_model_loss";
    public const string UnigramEntropy = "heldout/unigram_entropy";
    public const string Auc = "heldout/discriminator_auc";

    /// <summary>
    /// The name of a model's language modeling loss: the main model's where it is a language model, else the generator's.
    /// </summary>
    public static string LossOf(JsonElement metrics) => Value(metrics, LanguageModelLoss) is null ? GeneratorLoss : LanguageModelLoss;

    /// <summary>A metric; null if it was not measured.</summary>
    public static double? Value(JsonElement metrics, string name) =>
        metrics.ValueKind == JsonValueKind.Object
        && metrics.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;

    /// <summary>A metric with three decimals; "–" if it was not measured.</summary>
    public static string Text(JsonElement metrics, string name) =>
        Value(metrics, name)?.ToString("0.000", CultureInfo.InvariantCulture) ?? "–";
}
