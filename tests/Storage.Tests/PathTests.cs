using System.Text;
using System.Text.Json;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

/// <summary>Names that come from a file never lead out of the folder they belong to.</summary>
public sealed class PathTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("../../victim")]
    [InlineData("/../../victim")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789")]
    [InlineData("../0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc")]
    public async Task ABackupThatNamesAnotherFolderIsRefusedBeforeAnythingIsTouched(string? digest)
    {
        string victim = folder.Write("victim/precious.txt", "precious");
        var listing = new BackupManifest(1, DateTimeOffset.UnixEpoch, [digest!]);
        folder.Write("backup/backup.json", JsonSerializer.Serialize(listing, JsonSerializerOptions.Web));
        folder.Write("backup/database.dump", "");
        Directory.CreateDirectory(folder["backup/objects"]);
        string target = folder["restored"];

        StorageException refusal = await Assert.ThrowsAsync<StorageException>(() =>
            Backup.RestoreAsync(
                folder["backup"],
                new StorageOptions { DataFolder = target, ConnectionString = "Host=/nowhere" },
                "user:test"
            )
        );
        Assert.Contains("backup.json", refusal.Message);
        Assert.Contains($"'{digest}'", refusal.Message);
        Assert.True(File.Exists(victim));
        Assert.False(Path.Exists(target));
    }

    [Theory]
    [InlineData("""{"format": 1, "artifacts": null}""", "backup.json is damaged: it lists nothing")]
    [InlineData("null", "backup.json is damaged: it does not say which layout")]
    [InlineData("""{"artifacts": []}""", "backup.json is damaged: it does not say which layout")]
    [InlineData("""{"format": 2, "artifacts": []}""", "layout 2 of a newer ElectraPipeline")]
    [InlineData("""{"format": 1, "artifacts": []}""", "database.dump is missing")]
    [InlineData("[", "backup.json is damaged")]
    public async Task ABackupThatIsNotWholeIsRefusedBeforeAnythingIsCopied(string manifest, string said)
    {
        folder.Write("backup/backup.json", manifest);
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(() =>
            Backup.RestoreAsync(
                folder["backup"],
                new StorageOptions { DataFolder = folder["restored"], ConnectionString = "Host=/nowhere" },
                "user:test"
            )
        );
        Assert.Contains(said, refusal.Message);
        Assert.False(Path.Exists(folder["restored"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ALinkInABackupIsNotFollowed(bool ofFolder)
    {
        using var store = new ArtifactStore(folder["data"]);
        string work = store.CreateWorkFolder("made");
        File.WriteAllText(Path.Combine(work, "a.txt"), "secret of somebody");
        SealedArtifact artifact = store.Seal(work, "kind");
        string elsewhere = Path.GetDirectoryName(folder.Write("elsewhere/a.txt", "secret of somebody"))!;
        string copied = folder[$"backup/{artifact.Digest}"];
        if (ofFolder)
        {
            Directory.CreateDirectory(copied);
            Directory.CreateSymbolicLink(Path.Combine(copied, "deep"), elsewhere);
        }
        else
        {
            Directory.CreateDirectory(copied);
            File.CreateSymbolicLink(Path.Combine(copied, "a.txt"), Path.Combine(elsewhere, "a.txt"));
        }

        using var other = new ArtifactStore(folder["other"]);
        Assert.Contains("is a link", Assert.Throws<StorageException>(() => other.SealCopy(copied, artifact.Digest)).Message);
        Assert.False(other.Contains(artifact.Digest));
    }

    [Theory]
    [InlineData("../victim")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../victim")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("..\\victim")]
    public void AFileListOfABucketThatLeadsOutIsRefused(string path)
    {
        byte[] text = Encoding.UTF8.GetBytes($"{new string('a', 64)} 5 {path}\n");
        string digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(text));
        Assert.Contains(path, Assert.Throws<StorageException>(() => FolderListing.Parse(text, digest)).Message);
        byte[] good = Encoding.UTF8.GetBytes($"{new string('a', 64)} 5 deep/a..b.txt\n");
        Assert.NotNull(FolderListing.Parse(good, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(good))));
    }

    [Theory]
    [InlineData("../../../../etc")]
    [InlineData("ab")]
    [InlineData("")]
    public void NothingButADigestNamesASealedFolder(string digest)
    {
        using var store = new ArtifactStore(folder["data"]);
        Assert.Throws<StorageException>(() => store.PathOf(digest));
    }
}
