using System.Security.Cryptography;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

/// <summary>Sealed folders in a bucket, against a fake server that speaks the protocol.</summary>
public sealed class BucketTests
{
    static BucketTests()
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", FakeS3.AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", FakeS3.SecretKey);
    }

    [Fact]
    public async Task WhatOneHostSealsAnotherFetchesWhole()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var one = new Host(server);
        using var other = new Host(server);
        SealedArtifact artifact = one.Seal(("a.txt", "one"), ("deep/ümlaut and space+plus.txt", "two"), ("empty", ""), ("z", "last"));
        Assert.True(other.Store.Contains(artifact.Digest));
        Assert.EndsWith("/manifest", server.Log.Last(line => line.StartsWith("PUT", StringComparison.Ordinal)));

        string folder = other.Store.Fetch(artifact.Digest);
        Assert.Equal("two", File.ReadAllText(Path.Combine(folder, "deep/ümlaut and space+plus.txt")));
        Assert.Equal("", File.ReadAllText(Path.Combine(folder, "empty")));
        Assert.Null(other.Store.Verify(artifact.Digest));
        Assert.Equal(artifact.Bytes, other.Store.BytesOf(artifact.Digest));
        Assert.Empty(other.WorkFolders);

        int requests = server.Log.Count;
        Assert.Equal(folder, other.Store.Fetch(artifact.Digest));
        Assert.Equal(requests, server.Log.Count);
    }

    [Fact]
    public async Task WithoutItsManifestNothingIsThere()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var host = new Host(server);
        server.Refusal = (method, key) => method == "PUT" && key.EndsWith("/manifest", StringComparison.Ordinal) ? 403 : null;
        string message = Assert.Throws<StorageException>(() => host.Seal(("a.txt", "one"))).Message;
        Assert.Contains("AccessDenied", message);
        Assert.Contains("HTTP 403", message);
        string digest = Assert.Single(host.Store.DigestsOlderThan(DateTimeOffset.UtcNow.AddMinutes(1)));
        Assert.False(host.Store.Contains(digest));
        Assert.Throws<StorageException>(() => new Host(server).Store.Fetch(digest));

        server.Refusal = (_, _) => null;
        host.Seal(("a.txt", "one"));
        Assert.True(host.Store.Contains(digest));
        host.Store.Delete(digest);
        Assert.False(host.Store.Contains(digest));
        Assert.Empty(server.Keys);
    }

    [Fact]
    public async Task AManifestWhoseFilesAreGoneDoesNotCount()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var host = new Host(server);
        SealedArtifact artifact = host.Seal(("a.txt", "one"), ("b.txt", "two"));
        using (var bucket = new S3Bucket(ArtifactLocation.Parse(server.Url("prefix"))!))
        {
            bucket.Delete(server.Keys.Single(key => key.EndsWith("b.txt", StringComparison.Ordinal)));
        }

        Assert.False(host.Store.Contains(artifact.Digest));
        Assert.Contains("b.txt is missing", host.Store.Verify(artifact.Digest));
        host.Seal(("a.txt", "one"), ("b.txt", "two"));
        Assert.True(host.Store.Contains(artifact.Digest));
    }

    [Fact]
    public async Task DamageInTheBucketIsNamedAndNeverFetched()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var one = new Host(server);
        using var other = new Host(server);
        SealedArtifact artifact = one.Seal(("a.txt", "one"));
        server.Rot(server.Keys.Single(key => key.EndsWith("a.txt", StringComparison.Ordinal)));
        Assert.Contains("a.txt holds other bytes", one.Store.Verify(artifact.Digest));
        Assert.Contains("holds other bytes", Assert.Throws<StorageException>(() => other.Store.Fetch(artifact.Digest)).Message);
        Assert.False(Directory.Exists(other.Store.PathOf(artifact.Digest)));
        Assert.Empty(other.WorkFolders);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatWasStoredOtherwiseThanSentIsNotedAtOnce(bool knowsChecksums)
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        server.KnowsChecksums = knowsChecksums;
        using var host = new Host(server);
        Assert.True(host.Store.Contains(host.Seal(("a.txt", "good")).Digest));
        server.Damage = (_, bytes) => [.. bytes, 0];
        Assert.Contains("other bytes than were sent", Assert.Throws<StorageException>(() => host.Seal(("a.txt", "one"))).Message);
    }

    [Fact]
    public async Task AServerThatStumblesIsAskedAgain()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var host = new Host(server);
        int stumbles = 0;
        server.Refusal = (_, _) => Interlocked.Increment(ref stumbles) % 3 == 1 ? 503 : null;
        int lost = 0;
        server.LosesAnswer = (_, _) => Interlocked.Increment(ref lost) == 1;
        SealedArtifact artifact = host.Seal(("a.txt", "one"), ("b.txt", "two"));
        Assert.Null(host.Store.Verify(artifact.Digest));
        Assert.True(stumbles > 3 && lost > 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ALargeFileGoesInPartsAndLeavesNoneBehind(bool knowsChecksums)
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        server.KnowsChecksums = knowsChecksums;
        using var folder = new TemporaryFolder();
        using var bucket = new S3Bucket(ArtifactLocation.Parse(server.Url("prefix"))!, partBytes: 1000);
        byte[] bytes = [.. Enumerable.Range(0, 2500).Select(i => (byte)(i * 7))];
        File.WriteAllBytes(folder["large"], bytes);
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        bucket.Put("large", folder["large"], sha256);
        byte[] read = [];
        Assert.True(bucket.TryRead("large", stream =>
        {
            using var memory = new MemoryStream();
            stream.CopyTo(memory);
            read = memory.ToArray();
        }));
        Assert.Equal(bytes, read);

        server.Damage = (_, part) => [.. part[..^1], 0];
        Assert.Throws<StorageException>(() => bucket.Put("large", folder["large"], sha256));
        server.Damage = (_, part) => part;
        int puts = 0;
        server.Refusal = (method, _) => method == "PUT" && Interlocked.Increment(ref puts) == 2 ? 403 : null;
        Assert.Throws<StorageException>(() => bucket.Put("other", folder["large"], sha256));
        Assert.Equal(0, server.UnfinishedUploads);
    }

    [Fact]
    public async Task SecretsAreNeitherTakenFromUrlsNorShown()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        string inUrl = Assert.Throws<StorageException>(() => ArtifactLocation.Parse("s3://key:hush@models/prefix")).Message;
        Assert.Contains("AWS_ACCESS_KEY_ID", inUrl);
        Assert.DoesNotContain("hush", inUrl);
        Assert.DoesNotContain("hush", Assert.Throws<StorageException>(() => ArtifactLocation.Parse("s3://models?endpoint=http://key:hush@host")).Message);
        using var host = new Host(server);
        server.Refusal = (_, _) => 403;
        Assert.DoesNotContain(FakeS3.SecretKey, Assert.Throws<StorageException>(() => host.Seal(("a", "b"))).ToString());
    }

    [Theory]
    [InlineData("models/prefix")]
    [InlineData("http://models/prefix")]
    [InlineData("s3://models/prefix?endpoint=host")]
    [InlineData("s3://models/prefix?region=a&more=b")]
    public void OtherPlacesAreRefused(string url) => Assert.Contains("s3://BUCKET", Assert.Throws<StorageException>(() => ArtifactLocation.Parse(url)).Message);

    [Fact]
    public void APlaceIsReadAsItIsWritten()
    {
        ArtifactLocation place = ArtifactLocation.Parse("s3://models/a/b/?region=eu-north-1&endpoint=http://127.0.0.1:9000")!;
        Assert.Equal(new ArtifactLocation("models", "a/b", new Uri("http://127.0.0.1:9000"), "eu-north-1"), place);
        Assert.Equal(place, ArtifactLocation.Parse(place.ToText()));
        Assert.Null(ArtifactLocation.Parse(" "));
    }

    /// <summary>A host's data folder, with a bucket behind it.</summary>
    private sealed class Host(FakeS3 server) : IDisposable
    {
        private readonly TemporaryFolder folder = new();
        private int seals;

        public ArtifactStore Store => field ??= new ArtifactStore(folder.Path, ArtifactLocation.Parse(server.Url("prefix")));

        public IEnumerable<string> WorkFolders => Directory.EnumerateFileSystemEntries(folder["work"]);

        public SealedArtifact Seal(params (string Name, string Text)[] files)
        {
            string work = Store.CreateWorkFolder(++seals, 1);
            foreach (var (name, text) in files)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(work, name))!);
                File.WriteAllText(Path.Combine(work, name), text);
            }

            return Store.Seal(work, "test");
        }

        public void Dispose()
        {
            Store.Dispose();
            folder.Dispose();
        }
    }
}
