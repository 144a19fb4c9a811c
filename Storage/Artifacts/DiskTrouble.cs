namespace ElectraPipeline.Storage.Artifacts;

/// <summary>
/// A disk that takes no files: full, over its quota, or read-only. What needs it waits and goes on by itself once it is mended; nothing is
/// lost, and it is no fault of the work.
/// </summary>
/// <param name="message">What and where, and what to do.</param>
/// <param name="inner">The error of the system; null where another process has met it.</param>
public sealed class DiskTroubleException(string message, Exception? inner = null) : StorageException(message, inner);

/// <summary>Tells a disk that takes no files from other errors, in words a user can act on.</summary>
public static class DiskTrouble
{
    private const int NoSpaceLeft = 28;
    private const int ReadOnly = 30;
    private const int QuotaExceeded = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070);
    private const long LeastFreeBytes = 64L << 20;
    private const int LeastFreePart = 20;

    /// <summary>The error, within an error or what it was caused by, that says that a disk takes no files; null if none does.</summary>
    public static DiskTroubleException? In(Exception error, string folder)
    {
        for (Exception? cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is DiskTroubleException known)
            {
                return known;
            }

            if (cause is IOException { HResult: NoSpaceLeft or QuotaExceeded or WindowsDiskFull or ReadOnly } refused)
            {
                return Describe(refused, folder);
            }

            if (cause is AggregateException { InnerExceptions: { Count: > 1 } several })
            {
                return several.Select(one => In(one, folder)).FirstOrDefault(found => found is not null);
            }
        }

        return null;
    }

    /// <summary>
    /// What is wrong with the disk of a folder before work begins there; null: it takes files and has more free than 64 MiB, or a
    /// twentieth of it if that is less. Work that is begun on less would only fail.
    /// </summary>
    public static DiskTroubleException? Of(string folder)
    {
        try
        {
            string probe = Path.Combine(folder, $".probe-{Guid.NewGuid():N}");
            using (new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose))
            { }

            var drive = new DriveInfo(folder);
            long least = Math.Min(LeastFreeBytes, drive.TotalSize / LeastFreePart);
            return drive.AvailableFreeSpace >= least
                ? null
                : new DiskTroubleException(
                    $"little space is left on the volume of {folder} ({RoomOf(folder)}). Free {least >> 20} MiB or more, and the "
                        + "work goes on by itself."
                );
        }
        catch (IOException e)
        {
            return In(e, folder);
        }
        catch (UnauthorizedAccessException e)
        {
            return new DiskTroubleException($"{e.Message} Let this user write in {folder}, and the work goes on by itself.", e);
        }
    }

    private static DiskTroubleException Describe(IOException error, string folder)
    {
        string what =
            error.HResult == ReadOnly
                ? $"the volume of {folder} is read-only: {error.Message}. Mount it for writing"
                : $"no space is left on the volume of {folder} ({RoomOf(folder)}): {error.Message}. Free some space";
        return new DiskTroubleException($"{what}, and the work goes on by itself; nothing half-written was kept.", error);
    }

    private static string RoomOf(string folder)
    {
        try
        {
            var drive = new DriveInfo(Path.GetFullPath(folder));
            return $"{drive.AvailableFreeSpace / 1_048_576} MiB of {drive.TotalSize / 1_048_576} MiB free";
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // The figures are an extra; without them the message still says what to do.
            return "free space unknown";
        }
    }
}
