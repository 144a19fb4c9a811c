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

    /// <summary>Mounts it read-only, as the kernel does after an error of the device, or for writing again.</summary>
    public void SetReadOnly(bool readOnly) => Run("mount", "-o", $"remount,{(readOnly ? "ro" : "rw")}", Folder);

    public void Dispose()
    {
        Run("umount", "--lazy", Folder);
        Directory.Delete(Folder);
    }

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {error}");
    }
}
