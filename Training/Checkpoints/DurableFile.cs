using System.Runtime.InteropServices;
using System.Text;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>Files that are either whole under their name or not there, even after a crash or a power cut.</summary>
public static class DurableFile
{
    /// <summary>What the name of an unfinished file or folder ends with. Readers ignore such names.</summary>
    public const string PartialSuffix = ".partial";

    /// <summary>
    /// Writes a file: to <c>path.partial</c>, flushed to the disk, renamed over <paramref name="path"/>, and the rename flushed too.
    /// Missing folders are made. If <paramref name="write"/> throws, what stood at <paramref name="path"/> before still does.
    /// </summary>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(folder);
        string partial = full + PartialSuffix;
        using (FileStream stream = new(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }

        File.Move(partial, full, overwrite: true);
        DurableFolder.Sync(folder);
    }

    /// <summary>Writes UTF-8 text without a byte-order mark, as <see cref="Write"/> does.</summary>
    public static void WriteText(string path, string text) => Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}

/// <summary>Folders that are either whole under their name or not there.</summary>
public static partial class DurableFolder
{
    private const int ReadOnly = 0;

    /// <summary>
    /// Makes a folder: <paramref name="fill"/> puts files (each by <see cref="DurableFile"/>) into <c>path.partial</c>, which is flushed
    /// and renamed. A folder already at <paramref name="path"/> is replaced; a crash in between leaves neither, never a mixture.
    /// </summary>
    public static void Write(string path, Action<string> fill)
    {
        string full = Path.GetFullPath(path);
        string parent = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(parent);
        string partial = full + DurableFile.PartialSuffix;
        DeleteIfThere(partial);
        Directory.CreateDirectory(partial);
        fill(partial);
        Sync(partial);
        DeleteWhole(full);
        Directory.Move(partial, full);
        Sync(parent);
    }

    /// <summary>Deletes a folder so that no half of it is ever seen under its name.</summary>
    public static void DeleteWhole(string path)
    {
        if (!Directory.Exists(path))
        {
            return;
        }

        string dying = path + ".deleted" + DurableFile.PartialSuffix;
        DeleteIfThere(dying);
        Directory.Move(path, dying);
        DeleteIfThere(dying);
    }

    /// <summary>Flushes a folder's entries, so that the files made, renamed or removed in it survive a power cut.</summary>
    /// <exception cref="IOException">The folder cannot be opened or flushed.</exception>
    public static void Sync(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return; // NTFS journals its entries, and offers no handle to flush them by.
        }

        int descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"cannot open folder {folder} to flush it: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        try
        {
            if (FlushDescriptor(descriptor) != 0)
            {
                throw new IOException($"cannot flush folder {folder}: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FlushDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
