using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Jobs.Configuration;

/// <summary>The fields of a config that name files and folders, and how far they may lead.</summary>
internal static class ConfigPaths
{
    /// <summary>
    /// The config with other paths; <paramref name="change"/> gets each field's name and path. Words for built-in data stay.
    /// </summary>
    public static RunConfig Change(RunConfig config, Func<string, string, string> change)
    {
        string At(string field, string path) => IsWord(field, path) ? path : change(field, path);
        string? AtOptional(string field, string? path) => path is null ? null : At(field, path);
        return config with
        {
            Corpus = config.Corpus with
            {
                Paths = [.. config.Corpus.Paths.Select((path, i) => At($"corpus.paths[{i}]", path))],
                Filters = config.Corpus.Filters?.WithPaths((field, path) => At($"corpus.filters.{field}", path)),
            },
            Vocabulary = config.Vocabulary with { Path = AtOptional("vocabulary.path", config.Vocabulary.Path) },
            Mixture = config.Mixture with
            {
                Datasets = [.. config.Mixture.Datasets.Select((set, i) => set with { Path = At($"mixture.datasets[{i}].path", set.Path) })],
            },
            Pretrain = config.Pretrain with { InitializeFrom = AtOptional("pretrain.initializeFrom", config.Pretrain.InitializeFrom) },
            Finetune =
            [
                .. config.Finetune.Select(
                    (task, i) =>
                        task with
                        {
                            Train = At($"finetune[{i}].train", task.Train),
                            Evaluation = AtOptional($"finetune[{i}].evaluation", task.Evaluation),
                        }
                ),
            ],
        };
    }

    /// <summary>
    /// Each path that leads where it may not, links followed, with what to do: out of the folders that inputs are confined to, or of
    /// those of the config's own rule.
    /// </summary>
    /// <param name="config">The config; its paths are as they were written.</param>
    /// <param name="folder">The config's folder, absolute; null: all paths are absolute, as in a stored config.</param>
    /// <param name="rule">The config's own rule; null: it has none.</param>
    /// <param name="confined">What the operator allows.</param>
    /// <param name="counts">Whether a field counts; null: all do.</param>
    public static IReadOnlyList<string> FaultsOf(
        RunConfig config,
        string? folder,
        InputRule? rule,
        InputFolders confined,
        Func<string, bool>? counts = null
    )
    {
        var faults = new List<string>();
        Change(
            config,
            (field, path) =>
            {
                if (counts?.Invoke(field) != false && FaultOf(field, path, folder, rule, confined) is { } fault)
                {
                    faults.Add(fault);
                }

                return path;
            }
        );
        return faults;
    }

    private static string? FaultOf(string field, string path, string? folder, InputRule? rule, InputFolders confined)
    {
        string full = Path.GetFullPath(path, folder ?? "/");
        if (OutsideOf(confined, field, full) is { } forbidden)
        {
            return $"{field} is {path}, which leads to {forbidden}; inputs are read from {confined} alone. "
                + $"Put it there, or let whoever runs this add its folder to {InputFolders.Variable}";
        }

        InputFolders own = rule?.AllowedFor(full) ?? InputFolders.Anywhere;
        if (OutsideOf(own, field, full) is not { } outside)
        {
            return null;
        }

        string fault = $"{field} is {path}, which leads to {outside}, out of ";
        return folder is null
            ? fault + $"{own}, where it had to lie when the config was read; put it there, or submit the config again"
            : fault
                + $"the config's folder {own}; put it into that folder, write the path out in full, "
                + $"or name the folders that inputs may come from in {InputFolders.Variable}";
    }

    // A folder of a corpus is walked without following the links that lead out of it; other folders are read as they are.
    private static string? OutsideOf(InputFolders allowed, string field, string full) =>
        !allowed.AreConfined
            ? null
            : (IsCorpus(field) ? [RealPath.Of(SourceFiles.BeforeWildcard(full))] : RealPath.Reached(full)).FirstOrDefault(place =>
                !allowed.Allow(place)
            );

    // Nothing else may look like a word: "dotnet-docs:/../../etc" is a path.
    private static bool IsWord(string field, string value) =>
        field.StartsWith("finetune", StringComparison.Ordinal)
            ? value.StartsWith(SourceFiles.DotNetDocsWord + ":", StringComparison.Ordinal)
                && value[(SourceFiles.DotNetDocsWord.Length + 1)..].All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')
            : value == SourceFiles.DotNetDocsWord && IsCorpus(field);

    private static bool IsCorpus(string field) => field.StartsWith("corpus.paths", StringComparison.Ordinal);
}
