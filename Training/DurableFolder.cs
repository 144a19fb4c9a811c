using System.Runtime.InteropServices;

namespace ElectraPipeline.Training;

/// <summary>Folders that are either whole under their name or not there.</summary>
public static partial class DurableFolder
{
    private const int ReadOnly = 0;

    /// <summary>
    /// Makes a folder: <paramref name="fill"/> puts files (each by <see cref="DurableFile"/>) into <c>path.partial</c>, which is flushed
    /// and renamed. A folder already at <paramref name="path"/> is replaced; a crash in between leaves neither, never a mixture.
    /// </summary>
    public static void Write(string path, Action<string> fill) => Publish(Path.GetFullPath(path), fill, DeleteWhole);

    /// <summary>
    /// The same of a folder that is missing or empty; a folder that holds something is not replaced. If <paramref name="fill"/> fails,
    /// nothing is left.
    /// </summary>
    /// <exception cref="IOException">There is something in the folder.</exception>
    public static void WriteNew(string path, Action<string> fill)
    {
        string full = Path.GetFullPath(path);
        try
        {
            Publish(full, fill, DeleteEmpty);
        }
        catch
        {
            DeleteWhole(full + DurableFile.PartialSuffix);
            throw;
        }
    }

    /// <summary>Flushes the entries of a folder and of all folders in it.</summary>
    public static void SyncAll(string folder)
    {
        foreach (string inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
        {
            Sync(inner);
        }

        Sync(folder);
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

    private static void Publish(string full, Action<string> fill, Action<string> makeRoom)
    {
        string parent = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(parent);
        string partial = full + DurableFile.PartialSuffix;
        DeleteIfThere(partial);
        Directory.CreateDirectory(partial);
        fill(partial);
        SyncAll(partial);
        makeRoom(full);
        Directory.Move(partial, full);
        Sync(parent);
    }

    private static void DeleteEmpty(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder);
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
