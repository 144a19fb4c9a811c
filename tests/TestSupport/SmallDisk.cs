using System.Diagnostics;
using Xunit;

namespace ElectraPipeline.TestSupport;

/// <summary>A disk of a few megabytes in memory, mounted while a test needs it.</summary>
public sealed class SmallDisk : IDisposable
{
    /// <summary>Mounts the disk; root alone may.</summary>
    public SmallDisk(int megabytes)
    {
        Folder = Directory.CreateTempSubdirectory("electra-disk-").FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", Folder);
    }

    /// <summary>Where it is mounted.</summary>
    public string Folder { get; }

    /// <summary>Writes a file that leaves little room.</summary>
    public void Fill(string file, int leaveKilobytes) =>
        File.WriteAllBytes(file, new byte[new DriveInfo(Folder).AvailableFreeSpace - (leaveKilobytes * 1024)]);

    /// <summary>Writes a file until nothing more fits, whatever others write meanwhile.</summary>
    public static void FillUp(string file)
    {
        using var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] block = new byte[1 << 12];
        try
        {
            while (true)
            {
                stream.Write(block);
            }
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>
    /// Mounts it read-only, as the kernel does after an error of the device, or for writing again. The kernel refuses while a file is open
    /// for writing, so this waits, for a minute at most.
    /// </summary>
    public void SetReadOnly(bool readOnly)
    {
        const int Tries = 600;
        for (int tries = 0; TryRun(out string error, "mount", "-o", $"remount,{(readOnly ? "ro" : "rw")}", Folder) is false; tries++)
        {
            Assert.True(tries < Tries, error);
            Thread.Sleep(100);
        }
    }

    public void Dispose()
    {
        Run("umount", "--lazy", Folder);
        Directory.Delete(Folder);
    }

    private static void Run(string program, params string[] arguments) => Assert.True(TryRun(out string error, program, arguments), error);

    private static bool TryRun(out string error, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        error = $"{program}: {process.StandardError.ReadToEnd()}";
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
