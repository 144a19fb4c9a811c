namespace ElectraPipeline.Storage.Artifacts;

/// <summary>Tells a full disk from other input/output errors, in words a user can act on.</summary>
public static class DiskFull
{
    private const int NoSpaceLeft = 28;
    private const int QuotaExceeded = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>Whether <paramref name="error"/> means that a volume or a quota is full.</summary>
    public static bool Is(IOException error) => error.HResult is NoSpaceLeft or QuotaExceeded or WindowsDiskFull;

    /// <summary>An error that names the volume of <paramref name="path"/> and what to do.</summary>
    public static StorageException Describe(IOException error, string path)
    {
        string room = "";
        try
        {
            var drive = new DriveInfo(Path.GetFullPath(path));
            room = $" ({drive.AvailableFreeSpace / 1_048_576} MiB of {drive.TotalSize / 1_048_576} MiB free)";
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // The figures are an extra; without them the message still says what to do.
        }

        return new StorageException(
            $"no space left on the volume of {path}{room}: {error.Message}. Free some space, then retry; nothing half-written was kept.", error);
    }
}
