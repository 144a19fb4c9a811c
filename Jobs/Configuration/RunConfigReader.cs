using System.Text.Json.Nodes;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Jobs.Configuration;

/// <summary>Reads config files, strictly, and resolves what depends on this machine.</summary>
public static class RunConfigReader
{
    /// <summary>Reads and resolves a config file.</summary>
    /// <exception cref="PermanentException">
    /// It is missing or has faults; the message names all of them, each with its place or field.
    /// </exception>
    public static RunConfig ReadFile(string path)
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

        return Read(json, path);
    }

    /// <summary>Reads and resolves a config; <paramref name="path"/> names it in messages, and its folder is where paths start.</summary>
    /// <exception cref="PermanentException">It has faults; the message names all of them.</exception>
    public static RunConfig Read(byte[] json, string path)
    {
        Refuse(path, ConfigSyntax.FaultsOf<RunConfig>(json));
        var options = new System.Text.Json.JsonSerializerOptions(CanonicalJson.Options)
        {
            ReadCommentHandling = System.Text.Json.JsonCommentHandling.Skip,
            AllowTrailingCommas = true,
        };
        var reading = new System.Text.Json.JsonDocumentOptions { CommentHandling = options.ReadCommentHandling, AllowTrailingCommas = true };
        JsonObject own = JsonNode.Parse(json, documentOptions: reading)!.AsObject();
        Refuse(path, ConfigPresets.FaultsOf(own));
        RunConfig config = System.Text.Json.JsonSerializer.Deserialize<RunConfig>(ConfigPresets.Apply(own), options)!;
        Refuse(path, ConfigRules.FaultsOf(config));
        return Resolve(config, Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void Refuse(string path, IReadOnlyList<string> faults)
    {
        if (faults.Count > 0)
        {
            throw new PermanentException(string.Join('\n', faults.Select(fault => $"{path}: {fault}")));
        }
    }

    private static RunConfig Resolve(RunConfig config, string folder) => config with
    {
        Corpus = config.Corpus with
        {
            Paths = [.. config.Corpus.Paths.Select(path => Absolute(path, folder))],
            Filters = config.Corpus.Filters?.WithPaths(path => Absolute(path, folder)),
        },
        Vocabulary = config.Vocabulary with { Path = config.Vocabulary.Path is { } vocabulary ? Absolute(vocabulary, folder) : null },
        Mixture = config.Mixture with
        {
            Datasets = [.. config.Mixture.Datasets.Select(dataset => dataset with { Path = Absolute(dataset.Path, folder) })],
        },
        Pretrain = config.Pretrain with
        {
            Replicas = config.Pretrain.Replicas == 0 ? Environment.ProcessorCount : config.Pretrain.Replicas,
            InitializeFrom = config.Pretrain.InitializeFrom is { } first ? Absolute(first, folder) : null,
        },
        Finetune =
        [
            .. config.Finetune.Select(task => task with
            {
                Train = Absolute(task.Train, folder),
                Evaluation = task.Evaluation is { } evaluation ? Absolute(evaluation, folder) : null,
            }),
        ],
    };

    private static string Absolute(string path, string folder) =>
        path == SourceFiles.DotNetDocsWord || path.StartsWith(SourceFiles.DotNetDocsWord + ":", StringComparison.Ordinal)
            ? path
            : Path.GetFullPath(path, folder);
}
