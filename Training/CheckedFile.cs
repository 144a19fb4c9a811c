using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace ElectraPipeline.Training;

/// <summary>
/// Opens files that configs name. What was opened is looked at, not what the path led to a moment before, so that nobody can put a link
/// or another file in its place between the look and the opening.
/// </summary>
public static partial class CheckedFile
{
    private const int WithoutWaiting = 0x800; // O_NONBLOCK
    private const int CloseOnExec = 0x80000; // O_CLOEXEC

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="PermanentException">What was opened lies in none of the folders, or is a pipe.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static FileStream Open(string path, InputFolders allowed)
    {
        RefusePipe(path);
        FileStream stream = File.OpenRead(path);
        if (PlaceOf(stream.SafeFileHandle) is var place && !allowed.Allow(place))
        {
            stream.Dispose();
            throw new PermanentException($"{path} leads to {place}; inputs are read from {allowed} alone. Put it there, and retry");
        }

        return stream;
    }

    /// <summary>SHA-256 of a file, lower-case hex.</summary>
    /// <exception cref="PermanentException">As <see cref="Open"/>.</exception>
    public static string Digest(string path, InputFolders allowed)
    {
        using FileStream stream = Open(path, allowed);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>SHA-256 over the names and bytes of all files of a folder and below it, lower-case hex.</summary>
    /// <exception cref="PermanentException">As <see cref="Open"/>.</exception>
    public static string DigestOfFolder(string folder, InputFolders allowed)
    {
        string[] files = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        return TextDigest.Of(files.SelectMany(file => new[] { Path.GetRelativePath(folder, file), Digest(file, allowed) }));
    }

    /// <summary>
    /// The bytes of a file. With the digest that it was allowed under (<see cref="Digest"/>) they are these bytes, wherever they lie.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="sha256">Lower-case hex; null: any bytes will do.</param>
    /// <exception cref="IOException">It cannot be read, or its bytes are others.</exception>
    public static byte[] ReadAllBytes(string path, string? sha256 = null)
    {
        byte[] bytes = File.ReadAllBytes(path);
        string? now = sha256 is null ? null : Convert.ToHexStringLower(SHA256.HashData(bytes));
        return now == sha256 ? bytes : throw Changed(path, sha256!, now);
    }

    /// <summary>The fault of a file or folder that is not what it was; trying again looks at it anew.</summary>
    internal static IOException Changed(string path, string before, string? now) =>
        new($"{path} changed while it was read (SHA-256 {before}, then {now ?? "written again"}); let it rest and retry");

    /// <summary>Where an open file lies, without links.</summary>
    internal static string PlaceOf(SafeFileHandle handle) =>
        new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget
        ?? throw new IOException("/proc is not there; it tells where open files lie");

    // Opening a pipe that nobody writes into waits for ever, and nothing can interrupt it.
    private static void RefusePipe(string path)
    {
        using var handle = new SafeFileHandle(OpenNow(path, WithoutWaiting | CloseOnExec), ownsHandle: true);
        if (handle.IsInvalid)
        {
            return; // What is wrong is said by the opening that follows.
        }

        using var probe = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        if (!probe.CanSeek)
        {
            throw new PermanentException($"{path} is a pipe or a device, no file; take it away or name another");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenNow(string path, int flags);
}
