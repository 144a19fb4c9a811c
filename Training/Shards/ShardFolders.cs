namespace ElectraPipeline.Training.Shards;

/// <summary>Finds shards under a path.</summary>
internal static class ShardFolders
{
    /// <summary>What the names of shards end with.</summary>
    public const string Extension = ".shard";

    /// <summary>
    /// The shards that <paramref name="path"/> names: the file itself, or all in the folder and those below it, train before held-out,
    /// folders in the order of their names.
    /// </summary>
    /// <exception cref="PermanentException">There is no such path, or no shard.</exception>
    public static IReadOnlyList<string> FilesOf(string path)
    {
        if (File.Exists(path))
        {
            return [path];
        }

        if (!Directory.Exists(path))
        {
            throw new PermanentException($"{path}: no such file or folder; name a shard (*{Extension}) or a folder of shards");
        }

        string[] files =
        [
            .. Directory
                .EnumerateFiles(path, "*" + Extension, SearchOption.AllDirectories)
                .OrderBy(Path.GetDirectoryName, StringComparer.Ordinal)
                .ThenBy(file => SplitOf(file) != Split.Train)
                .ThenBy(Path.GetFileName, StringComparer.Ordinal),
        ];
        return files.Length > 0 ? files : throw new PermanentException($"{path}: no shard (*{Extension}) in this folder or below it");
    }

    /// <summary>The split that a shard's name tells; null: another name.</summary>
    public static Split? SplitOf(string file) =>
        Path.GetFileName(file) switch
        {
            var name when name == ExampleSet.FileNameOf(Split.Train) => Split.Train,
            var name when name == ExampleSet.FileNameOf(Split.HeldOut) => Split.HeldOut,
            _ => null,
        };
}
