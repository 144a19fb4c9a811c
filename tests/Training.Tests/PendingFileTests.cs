using System.Diagnostics;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Training.Tests;

public sealed class PendingFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>More than is flushed ahead, several times, so that flushes and writes overlap.</summary>
    [Fact]
    public void LargeFilesAreWhole()
    {
        byte[] block = new byte[5_000_000];
        new Random(1).NextBytes(block);
        string path = folder["large"];
        DurableFile.Write(
            path,
            stream =>
            {
                for (int i = 0; i < 25; i++)
                {
                    stream.Write(block);
                    Assert.False(File.Exists(path));
                }
            }
        );
        using FileStream written = File.OpenRead(path);
        byte[] read = new byte[block.Length];
        for (int i = 0; i < 25; i++)
        {
            written.ReadExactly(read);
            Assert.True(block.AsSpan().SequenceEqual(read));
        }

        Assert.Equal(-1, written.ReadByte());
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void WhatIsGivenUpLeavesNothingAndChangesNothing()
    {
        string path = folder["kept"];
        DurableFile.WriteText(path, "before");
        Assert.Throws<InvalidOperationException>(() =>
            DurableFile.Write(
                path,
                stream =>
                {
                    stream.Write(new byte[70_000_000]);
                    throw new InvalidOperationException();
                }
            )
        );
        Assert.Equal("before", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    /// <summary>Under another name: who runs the tests may be allowed to replace the device itself.</summary>
    [Fact]
    public void ADeviceIsWrittenToAndNotReplaced()
    {
        string path = folder["null"];
        File.CreateSymbolicLink(path, "/dev/null");
        DurableFile.Write(path, stream => stream.Write(new byte[70_000_000]));
        Assert.Equal("/dev/null", new FileInfo(path).LinkTarget);
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task APipeIsWrittenToAndNotReplaced()
    {
        string path = folder["pipe"];
        using Process made = Process.Start("mkfifo", [path]);
        await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        Task<string> read = Task.Run(() => File.ReadAllText(path), TestContext.Current.CancellationToken);
        DurableFile.WriteText(path, "through the pipe");
        Assert.Equal("through the pipe", await read);
        Assert.Equal([path], Directory.GetFileSystemEntries(folder.Path));
    }
}
