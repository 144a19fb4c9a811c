using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Storage;

/// <summary>The few POSIX calls that .NET has no method for.</summary>
internal static partial class NativeFile
{
    private const int OpenReadOnly = 0;

    /// <summary>The user id this process acts with; 0 is root. 1 on systems without such ids.</summary>
    public static uint EffectiveUserId => OperatingSystem.IsWindows() ? 1 : GetEffectiveUserId();

    /// <summary>
    /// Makes the names in a folder durable: a renamed or created file survives a power cut only after its folder is synced.
    /// </summary>
    /// <remarks>.NET cannot open a folder. Windows has no such call and journals its names.</remarks>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int handle = Open(folder, OpenReadOnly);
        if (handle < 0)
        {
            throw Failure("open", folder);
        }

        try
        {
            if (Sync(handle) != 0)
            {
                throw Failure("fsync", folder);
            }
        }
        finally
        {
            _ = Close(handle);
        }
    }

    /// <summary>Gives a file or folder to a user.</summary>
    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (Chown(path, user, group) != 0)
        {
            throw Failure("chown", path);
        }
    }

    /// <summary>Whether a process with this id exists, of whatever user.</summary>
    public static bool ProcessExists(int processId) => Kill(processId, 0) == 0 || Marshal.GetLastPInvokeError() == 1;

    /// <summary>Sends a signal to a process; false if there is none.</summary>
    public static bool Signal(int processId, int signal) => Kill(processId, signal) == 0;

    private static IOException Failure(string call, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} {path}: {new Win32Exception(error).Message}", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();
}
