namespace ElectraPipeline.Storage;

/// <summary>Folders that nobody but their owner may look into.</summary>
public static class PrivateFolder
{
    /// <summary>Makes a folder, or closes one that is there.</summary>
    /// <exception cref="UnauthorizedAccessException">It is another user's.</exception>
    public static DirectoryInfo Make(string path)
    {
        const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        if (OperatingSystem.IsWindows())
        {
            return Directory.CreateDirectory(path);
        }

        DirectoryInfo folder = Directory.CreateDirectory(path, Own);
        if (folder.UnixFileMode != Own)
        {
            folder.UnixFileMode = Own;
        }

        return folder;
    }
}
