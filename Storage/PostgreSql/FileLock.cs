namespace ElectraPipeline.Storage.PostgreSql;

/// <summary>A lock between processes that ends with its holder, however that ends (flock).</summary>
internal static class FileLock
{
    /// <summary>Waits for the lock for as long as <paramref name="patience"/>.</summary>
    /// <exception cref="StorageException">Another process held it all the while.</exception>
    public static async Task<FileStream> AcquireAsync(string path, TimeSpan patience, CancellationToken cancellationToken)
    {
        DateTimeOffset end = DateTimeOffset.UtcNow + patience;
        while (true)
        {
            if (TryAcquire(path) is { } held)
            {
                return held;
            }

            if (DateTimeOffset.UtcNow > end)
            {
                throw new StorageException(
                    $"another process has held {path} for {patience.TotalSeconds:0} s; is one stuck while it starts or stops PostgreSQL?"
                );
            }

            await Task.Delay(50, cancellationToken);
        }
    }

    /// <summary>The lock, or null if anyone holds it, shared or not.</summary>
    public static FileStream? TryAcquire(string path) => TryOpen(path, FileAccess.ReadWrite, FileShare.None);

    /// <summary>A share of the lock, or null if someone holds it alone.</summary>
    public static FileStream? TryShare(string path) => TryOpen(path, FileAccess.Read, FileShare.Read);

    private static FileStream? TryOpen(string path, FileAccess access, FileShare share)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, access, share, bufferSize: 1);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            return null;
        }
    }
}
