using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace ElectraPipeline.Training.Corpus.Cache;

/// <summary>
/// SHA-256 of files, remembered while the process lives, so that a worker's nightly run does not read a whole folder again.
/// </summary>
/// <remarks>
/// A file counts as unchanged if its length and time of modification are. A time younger than two seconds proves nothing, as the
/// file may change again within the clock's grain; such digests are not remembered.
/// </remarks>
internal static class FileDigests
{
    private const int MaxRemembered = 1_000_000;
    private static readonly TimeSpan Grain = TimeSpan.FromSeconds(2);
    private static readonly ConcurrentDictionary<string, (long Length, DateTime Modified, string Sha256)> Remembered = new(StringComparer.Ordinal);

    /// <summary>Length and lower-case hexadecimal SHA-256 of a file.</summary>
    public static (long Length, string Sha256) Of(string path)
    {
        if (Known(path, out long length, out DateTime modified) is { } known)
        {
            return (length, known);
        }

        using FileStream stream = File.OpenRead(path);
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(stream));
        if (DateTime.UtcNow - modified > Grain && stream.Length == length && Remembered.Count < MaxRemembered)
        {
            Remembered[path] = (length, modified, sha256);
        }

        return (stream.Length, sha256);
    }

    /// <summary>
    /// Whether a file still has the length and time of modification that it had when its digest was found to be this one.
    /// </summary>
    public static bool Vouch(string path, string sha256) => Known(path, out _, out _) == sha256;

    /// <summary>Forgets a file whose bytes turned out to be others.</summary>
    public static void Forget(string path) => Remembered.TryRemove(path, out _);

    private static string? Known(string path, out long length, out DateTime modified)
    {
        var file = new FileInfo(path);
        (length, modified) = (file.Length, file.LastWriteTimeUtc);
        return Remembered.TryGetValue(path, out var known) && known.Length == length && known.Modified == modified ? known.Sha256 : null;
    }
}
