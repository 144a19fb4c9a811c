using ElectraPipeline.Training;

namespace ElectraPipeline.Cli;

/// <summary>A folder that a command makes.</summary>
internal static class OutputFolder
{
    /// <summary>The full path of a folder that is missing or empty.</summary>
    /// <exception cref="UsageException">Something is there.</exception>
    public static string RequireEmpty(string path)
    {
        string folder = Path.GetFullPath(path);
        return File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            ? throw new UsageException($"{folder} exists and is not empty; name another folder, or remove it")
            : folder;
    }

    /// <summary>
    /// Lets a command fill a folder that is missing or empty: it appears whole, and if the command fails, nothing is left; see
    /// <see cref="DurableFolder.WriteNew"/>.
    /// </summary>
    /// <exception cref="UsageException">Something is there.</exception>
    public static T Fill<T>(string path, Func<string, T> fill)
    {
        T? result = default;
        DurableFolder.WriteNew(RequireEmpty(path), partial => result = fill(partial));
        return result!;
    }
}
