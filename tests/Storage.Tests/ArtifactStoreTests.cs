using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class ArtifactStoreTests
{
    [Fact]
    public void TheDigestIsOfPathsAndBytesAlone()
    {
        using var folder = new TemporaryFolder();
        var store = new ArtifactStore(folder.Path);
        var first = store.Seal(Fill(store, 1, ("a.txt", "one"), ("b/c.txt", "two")), "test");
        var second = store.Seal(Fill(store, 2, ("b/c.txt", "two"), ("a.txt", "one")), "test");
        var other = store.Seal(Fill(store, 3, ("a.txt", "one"), ("b/d.txt", "two")), "test");
        Assert.Equal(first, second);
        Assert.Equal((6L, 2), (first.Bytes, first.Files));
        Assert.NotEqual(first.Digest, other.Digest);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["work"]));
        Assert.Null(store.Verify(first.Digest));
    }

    [Fact]
    public void ChangedAndMissingFilesAreFound()
    {
        using var folder = new TemporaryFolder();
        var store = new ArtifactStore(folder.Path);
        var artifact = store.Seal(Fill(store, 1, ("a.txt", "one")), "test");
        File.WriteAllText(Path.Combine(store.PathOf(artifact.Digest), "a.txt"), "One");
        Assert.Contains("other bytes", store.Verify(artifact.Digest));
        Assert.Contains("missing", store.Verify(new string('0', 64)));
    }

    [Fact]
    public void NothingAndLinksAreNotSealed()
    {
        using var folder = new TemporaryFolder();
        var store = new ArtifactStore(folder.Path);
        Assert.Contains("no files", Assert.Throws<StorageException>(() => store.Seal(store.CreateWorkFolder(1, 1), "test")).Message);
        string work = Fill(store, 2, ("a.txt", "one"));
        File.CreateSymbolicLink(Path.Combine(work, "link"), "a.txt");
        Assert.Contains("is a link", Assert.Throws<StorageException>(() => store.Seal(work, "test")).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["objects"]));
    }

    [Fact]
    public void ADiskThatTakesNoFilesIsToldInWords()
    {
        using var folder = new TemporaryFolder();
        var full = new IOException("No space left on device", 28);
        Assert.Contains("Free some space", DiskTrouble.In(full, Path.GetTempPath())!.Message);
        Assert.Contains("Mount it for writing", DiskTrouble.In(new IOException("Read-only file system", 30), Path.GetTempPath())!.Message);
        Assert.Same(
            full,
            DiskTrouble.In(new AggregateException(new IOException("other", 5), new StorageException("x", full)), "/")!.InnerException
        );
        Assert.Null(DiskTrouble.In(new IOException("other", 5), Path.GetTempPath()));
        Assert.Null(DiskTrouble.Of(folder.Path));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path, ".probe*"));
    }

    private static string Fill(ArtifactStore store, long id, params (string Name, string Text)[] files)
    {
        string folder = store.CreateWorkFolder(id, 1);
        foreach (var (name, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            File.WriteAllText(Path.Combine(folder, name), text);
        }

        return folder;
    }
}
