namespace ElectraPipeline.Storage;

/// <summary>The folder of artifacts, work and the private PostgreSQL, stamped with the version of its layout.</summary>
internal static class DataFolder
{
    /// <summary>Version of the layout this program writes. Raise it when an older program would misread what a newer one wrote.</summary>
    public const int Format = 1;

    private const string StampName = "electra-data-format";

    /// <summary>Makes the folder if missing and checks its stamp; returns the full path.</summary>
    /// <exception cref="StorageException">The folder cannot be used, is of a newer version, or is someone else's.</exception>
    public static string Open(string path)
    {
        string folder = Path.GetFullPath(path);
        try
        {
            return OpenStamped(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"the data folder {folder} cannot be used: {e.Message.TrimEnd('.')}. Let this user write there, or choose another "
                    + "(--data).",
                e
            );
        }
    }

    private static string OpenStamped(string folder)
    {
        Directory.CreateDirectory(folder);
        string stamp = Path.Combine(folder, StampName);
        if (!File.Exists(stamp))
        {
            Stamp(folder, stamp);
            return folder;
        }

        string text = File.ReadAllText(stamp).Trim();
        if (!int.TryParse(text, out int format) || format < 1)
        {
            throw new StorageException($"{stamp} holds '{text}' instead of a number; is {folder} a data folder of ElectraPipeline?");
        }

        return format <= Format
            ? folder
            : throw new StorageException(
                $"{folder} has the layout {format} of a newer ElectraPipeline; this one knows layouts up to {Format}. Start the "
                    + "newer version, "
                    + "or choose another data folder."
            );
    }

    private static void Stamp(string folder, string stamp)
    {
        string temporary = $"{stamp}.{Environment.ProcessId}";
        File.WriteAllText(temporary, $"{Format}\n");
        File.Move(temporary, stamp, overwrite: true);
    }
}
