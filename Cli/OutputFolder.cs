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
    /// Lets a command fill a folder that is missing or empty, beside it: whole it appears under its name, and if the command fails, nothing
    /// is left. What a killed one left beside it is removed.
    /// </summary>
    /// <exception cref="UsageException">Something is there.</exception>
    public static T Fill<T>(string path, Func<string, T> fill)
    {
        string folder = RequireEmpty(path);
        string partial = folder + DurableFile.PartialSuffix;
        DurableFolder.DeleteWhole(partial);
        try
        {
            Directory.CreateDirectory(partial);
            T result = fill(partial);
            DurableFolder.SyncAll(partial);
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder); // empty, or this fails
            }

            Directory.Move(partial, folder);
            DurableFolder.Sync(Path.GetDirectoryName(folder)!);
            return result;
        }
        finally
        {
            DurableFolder.DeleteWhole(partial);
        }
    }
}
