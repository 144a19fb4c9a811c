using System.Text.Json;
using ElectraPipeline.Dashboard.Components;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Reads a model version's metrics, a JSON object from name to number, and says what each one means.</summary>
internal static class ModelMetrics
{
    private static readonly Dictionary<string, string> _meanings = new()
    {
        ["heldout/generator_loss"] = "cross entropy of the masked tokens, nats; lower is better",
        ["heldout/unigram_entropy"] = "what guessing by token frequency alone would cost, nats; the generator loss must fall below it",
        ["heldout/generator_accuracy"] = "share of masked tokens the generator guesses",
        ["heldout/sampled_accuracy"] = "share of masked tokens where the token drawn from the generator is the text's",
        ["heldout/language_model_loss"] = "cross entropy of the tokens that the main model predicts, nats; lower is better",
        ["heldout/language_model_accuracy"] = "share of those tokens that it holds most likely",
        ["heldout/discriminator_loss"] = "binary cross entropy a token, nats; lower is better",
        ["heldout/discriminator_auc"] = "chance that a replaced token scores above an original one; 0.5 is guessing",
        ["heldout/discriminator_accuracy"] = "share of tokens judged right; most tokens are original, so see AUC and F1",
        ["heldout/discriminator_precision"] = "of the tokens called replaced, the share that are",
        ["heldout/discriminator_recall"] = "of the replaced tokens, the share called replaced",
        ["heldout/discriminator_f1"] = "harmonic mean of precision and recall",
        ["heldout/replaced_share"] = "share of tokens that were really replaced",
    };

    /// <summary>What a metric measures; empty for names not known.</summary>
    public static string Meaning(string name) => _meanings.GetValueOrDefault(name, "");

    /// <summary>A metric as text, "–" if it was not measured.</summary>
    public static string Text(JsonElement metrics, string name) =>
        metrics.ValueKind == JsonValueKind.Object && metrics.TryGetProperty(name, out JsonElement value) ? JsonText.Scalar(value) : "–";
}
