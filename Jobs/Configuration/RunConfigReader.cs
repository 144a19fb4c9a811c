using System.Text.Json.Nodes;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Configuration;

/// <summary>Reads config files, strictly, and resolves what depends on this machine.</summary>
public static class RunConfigReader
{
    /// <summary>Reads and resolves a config file.</summary>
    /// <param name="path">The file; its folder is where relative paths start, and what they stay in.</param>
    /// <param name="allowed">Where inputs may come from; null: anywhere that the config names in full.</param>
    /// <exception cref="PermanentException">
    /// It is missing or has faults; the message names all of them, each with its place or field.
    /// </exception>
    public static RunConfig ReadFile(string path, InputFolders? allowed = null)
    {
        byte[] json;
        try
        {
            json = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PermanentException($"{path}: cannot read the config: {e.Message}", e);
        }

        return Read(json, path, allowed);
    }

    /// <summary>Reads and resolves a config; <paramref name="path"/> names it in messages, and its folder is where paths start.</summary>
    /// <exception cref="PermanentException">It has faults; the message names all of them.</exception>
    public static RunConfig Read(byte[] json, string path, InputFolders? allowed = null)
    {
        Refuse(path, ConfigSyntax.FaultsOf<RunConfig>(json));
        var options = new System.Text.Json.JsonSerializerOptions(CanonicalJson.Options)
        {
            ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip,
            AllowTrailingCommas = true,
        };
        var reading = new System.Text.Json.JsonDocumentOptions
        {
            CommentHandling = options.ReadCommentHandling,
            AllowTrailingCommas = true,
        };
        JsonObject own = JsonNode.Parse(json, documentOptions: reading)!.AsObject();
        Refuse(path, ConfigPresets.FaultsOf(own));
        RunConfig config = System.Text.Json.JsonSerializer.Deserialize<RunConfig>(ConfigPresets.Apply(own), options)!;
        Refuse(path, ConfigRules.FaultsOf(config));
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var rule = InputRule.Of(config, folder, allowed ?? InputFolders.Anywhere);
        Refuse(path, ConfigPaths.FaultsOf(config, folder, rule, allowed ?? InputFolders.Anywhere));
        return Resolve(config, folder) with { Inputs = rule };
    }

    private static void Refuse(string path, IReadOnlyList<string> faults)
    {
        if (faults.Count > 0)
        {
            throw new PermanentException(string.Join('\n', faults.Select(fault => $"{path}: {fault}")));
        }
    }

    private static RunConfig Resolve(RunConfig config, string folder)
    {
        RunConfig absolute = ConfigPaths.Change(config, (_, path) => Path.GetFullPath(path, folder));
        int replicas = config.Pretrain.Replicas == 0 ? Environment.ProcessorCount : config.Pretrain.Replicas;
        return absolute with { Pretrain = absolute.Pretrain with { Replicas = replicas } };
    }
}
