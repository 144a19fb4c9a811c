using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Configuration;

/// <summary>
/// Where the files that a config names may lie, as it was found when the config was read. It is stored with the config, so that every
/// worker holds the config to it, whatever folders that worker itself is confined to.
/// </summary>
/// <param name="Folders">
/// The config's folder, or those that inputs were confined to: absolute, as they were named. Links on the way to them count as they
/// are when the rule is applied, so that hosts may mount a folder in different places.
/// </param>
/// <param name="InFull">Absolute paths that the config wrote out in full where nothing confined inputs: they are read as they are.</param>
public sealed record InputRule(IReadOnlyList<string> Folders, IReadOnlyList<string> InFull)
{
    /// <summary>The rule that a config is read under.</summary>
    /// <param name="config">The config; its paths are as they were written.</param>
    /// <param name="folder">The config's folder, absolute.</param>
    /// <param name="allowed">What the operator allows.</param>
    public static InputRule Of(RunConfig config, string folder, InputFolders allowed)
    {
        if (allowed.AreConfined)
        {
            return new InputRule(allowed.Names, []);
        }

        var inFull = new SortedSet<string>(StringComparer.Ordinal);
        ConfigPaths.Change(
            config,
            (_, path) =>
            {
                if (Path.IsPathRooted(path))
                {
                    inFull.Add(Path.GetFullPath(path));
                }

                return path;
            }
        );
        return new InputRule([folder], [.. inFull]);
    }

    /// <summary>What a path of the resolved config may lead to.</summary>
    internal InputFolders AllowedFor(string path) => InFull.Contains(path) ? InputFolders.Anywhere : InputFolders.Of(Folders);
}
