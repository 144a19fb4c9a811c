using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace ElectraPipeline.Training.Corpus.Cache;

/// <summary>
/// SHA-256 of files, remembered while the process lives, so that a worker's nightly run does not read a whole folder again.
/// </summary>
/// <remarks>
/// A file counts as unchanged if its place (links followed), length and time of modification are. A time younger than two seconds proves
/// nothing, as the file may change again within the clock's grain; such digests are not remembered.
/// </remarks>
internal static class FileDigests
{
    private const int MaxRemembered = 1_000_000;
    private static readonly TimeSpan Grain = TimeSpan.FromSeconds(2);
    private static readonly ConcurrentDictionary<string, (State State, string Sha256)> Remembered = new(StringComparer.Ordinal);

    /// <summary>Length and lower-case hexadecimal SHA-256 of a file.</summary>
    /// <exception cref="PermanentException">It lies in none of the folders; see <see cref="CheckedFile.Open"/>.</exception>
    public static (long Length, string Sha256) Of(string path, InputFolders allowed)
    {
        using FileStream stream = CheckedFile.Open(path, allowed);
        var state = State.Of(stream.SafeFileHandle);
        if (Known(path, state) is { } known)
        {
            return (state.Length, known);
        }

        string sha256 = Convert.ToHexStringLower(SHA256.HashData(stream));
        if (DateTime.UtcNow - state.Modified > Grain && State.Of(stream.SafeFileHandle) == state && Remembered.Count < MaxRemembered)
        {
            Remembered[path] = (state, sha256);
        }

        return (stream.Length, sha256);
    }

    /// <summary>Whether an open file still is what it was when the digest of its path was found to be this one.</summary>
    public static bool Vouch(string path, SafeFileHandle file, string sha256) => Known(path, State.Of(file)) == sha256;

    /// <summary>Forgets a file whose bytes turned out to be others.</summary>
    public static void Forget(string path) => Remembered.TryRemove(path, out _);

    private static string? Known(string path, State state) =>
        Remembered.TryGetValue(path, out var known) && known.State == state ? known.Sha256 : null;

    private sealed record State(string Place, long Length, DateTime Modified)
    {
        public static State Of(SafeFileHandle file) =>
            new(CheckedFile.PlaceOf(file), RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file));
    }
}
