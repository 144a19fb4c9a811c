using System.Text.Json.Nodes;

namespace ElectraPipeline.Jobs.Configuration;

/// <summary>
/// Families of values that a config may start from: what it says itself comes first. "official-small", "-base" and "-large" do what the
/// official code does with the published sizes, known faults included, where the defaults do better:
/// masked positions drawn with replacement (<c>pretrain.maskWithReplacement</c>), text past an example's end thrown away
/// (<c>examples.overflow</c>), layer-wise learning rates that start two steps below the head (<c>layerwiseDecayRule</c>), and one layer on
/// [CLS] (<c>head</c>).
/// </summary>
internal static class ConfigPresets
{
    private const string Key = "preset";
    private const string Tasks = "finetune";

    private static readonly Dictionary<string, string> Presets = new(StringComparer.Ordinal)
    {
        ["official-small"] = Official(
            "small",
            length: 128,
            batch: 128,
            rate: "5e-4",
            steps: 1_000_000,
            masked: "0.15",
            taskRate: "3e-4",
            decay: "0.8"
        ),
        ["official-base"] = Official(
            "base",
            length: 512,
            batch: 256,
            rate: "2e-4",
            steps: 766_000,
            masked: "0.15",
            taskRate: "1e-4",
            decay: "0.8"
        ),
        ["official-large"] = Official(
            "large",
            length: 512,
            batch: 2_048,
            rate: "2e-4",
            steps: 400_000,
            masked: "0.25",
            taskRate: "5e-5",
            decay: "0.9"
        ),
    };

    /// <summary>The faults of a config's choice of preset; none: it can be applied.</summary>
    public static IReadOnlyList<string> FaultsOf(JsonObject config) =>
        config[Key]?.GetValue<string>() is { } name && !Presets.ContainsKey(name)
            ? [$"preset is {name}; allowed: {string.Join(", ", Presets.Keys.Select(known => $"\"{known}\""))}"]
            : [];

    /// <summary>The config with its preset's values where it has none; each fine-tuning task gets those of tasks.</summary>
    public static JsonObject Apply(JsonObject config)
    {
        if (config[Key]?.GetValue<string>() is not { } name)
        {
            return config;
        }

        JsonObject values = JsonNode.Parse(Presets[name])!.AsObject();
        JsonObject task = values[Tasks]!.AsObject();
        values.Remove(Tasks);
        if (config[Tasks] is JsonArray tasks)
        {
            config[Tasks] = new JsonArray([.. tasks.Select(own => Over(task.DeepClone().AsObject(), own!.AsObject()))]);
        }

        return Over(values, config);
    }

    private static JsonObject Over(JsonObject values, JsonObject own)
    {
        foreach ((string key, JsonNode? value) in own)
        {
            values[key] =
                value is JsonObject inner && values[key] is JsonObject under
                    ? Over(under.DeepClone().AsObject(), inner)
                    : value?.DeepClone();
        }

        return values;
    }

    private static string Official(
        string size,
        int length,
        int batch,
        string rate,
        int steps,
        string masked,
        string taskRate,
        string decay
    ) =>
        $$"""
            {
              "examples": {
                "sequenceLength": {{length}}, "overflow": "discard", "singleSegmentProbability": 0.1, "shortTargetProbability": 0.05
              },
              "model": { "preset": "{{size}}", "embeddingSharing": "tied", "generator": "learned", "initialization": "normal" },
              "pretrain": {
                "objective": "electra", "steps": {{steps}}, "batchSize": {{batch}}, "learningRate": {{rate}}, "warmupSteps": 10000,
                "weightDecay": 0.01, "adamBeta1": 0.9, "adamBeta2": 0.999, "adamEpsilon": 1e-6, "clipNorm": 1.0,
                "maskProbability": {{masked}}, "maskReplaceProbability": 0.85, "maskRandomProbability": 0.0, "maskWithReplacement": true,
                "temperature": 1.0, "disallowCorrect": false, "generatorWeight": 1.0, "discriminatorWeight": 50.0
              },
              "finetune": {
                "learningRate": {{taskRate}}, "layerwiseDecay": {{decay}}, "layerwiseDecayRule": "official",
                "warmupShare": 0.1, "weightDecay": 0.01, "batchSize": 32, "epochs": 3, "sequenceLength": 128, "head": "official"
              }
            }
            """;
}
