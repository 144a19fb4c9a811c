using System.Text.Json;
using ElectraPipeline.TestSupport;

namespace ElectraPipeline.Chaos;

/// <summary>What the same pipelines make where nothing goes wrong.</summary>
internal static class Reference
{
    /// <summary>Pre-training steps of a campaign's pipelines.</summary>
    public const int Steps = 250;

    /// <summary>Output digests by stage and shard, for each seed.</summary>
    public static async Task<IReadOnlyDictionary<int, IReadOnlyDictionary<string, string>>> MakeAsync(IEnumerable<int> seeds)
    {
        using var project = new TinyProject();
        var outputs = new Dictionary<int, IReadOnlyDictionary<string, string>>();
        foreach (int seed in seeds)
        {
            project.WriteConfig(steps: Steps, seed: seed);
            ProcessResult result = await project.SucceedAsync("run", project.Config, "--watch", "--json");
            using var json = JsonDocument.Parse(result.Output);
            outputs[seed] = json
                .RootElement.GetProperty("stages")
                .EnumerateArray()
                .ToDictionary(
                    stage => stage.GetProperty("displayName").GetString()!,
                    stage => stage.GetProperty("outputDigest").GetString()!
                );
        }

        return outputs;
    }
}
