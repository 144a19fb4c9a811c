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

    [Fact]
    public async Task AConnectionThatBreaksInTheMiddleIsBegunAnewAndNothingHalfIsEverSeen()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var one = new Host(server);
        using var other = new Host(server);
        var broken = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        server.Breaks = (method, key) => broken.AddOrUpdate($"{method} {key}", 1, (_, times) => times + 1) <= 2;
        string text = new('x', 100_000);
        SealedArtifact artifact = one.Seal(("a.txt", text), ("b.txt", "two"));
        Assert.Equal(text, File.ReadAllText(Path.Combine(other.Store.Fetch(artifact.Digest), "a.txt")));
        Assert.Null(other.Store.Verify(artifact.Digest));
        Assert.True(broken.Keys.Count(request => request.StartsWith("GET", StringComparison.Ordinal)) >= 3);
        Assert.All(broken.Values, times => Assert.True(times > 2, $"{times} times"));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    public async Task AConnectionThatAlwaysBreaksIsToldInWordsAndLeavesNothingUnderItsName(string method)
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var one = new Host(server);
        using var other = new Host(server);
        SealedArtifact artifact = one.Seal(("a.txt", "one of them"));
        server.Breaks = (asked, key) => asked == method && key.EndsWith(".txt", StringComparison.Ordinal);
        StorageException failure = Assert.Throws<StorageException>(() =>
            method == "GET" ? other.Store.Fetch(artifact.Digest) : one.Seal(("b.txt", "two of them")).Digest
        );
        Assert.Contains("cannot be reached at http://127.0.0.1:", failure.Message);
        Assert.False(Directory.Exists(other.Store.PathOf(artifact.Digest)));
        Assert.Empty(other.WorkFolders);
        Assert.DoesNotContain(server.Keys, key => key.EndsWith("b.txt", StringComparison.Ordinal));
        Assert.Single(server.Keys, key => key.EndsWith("/manifest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatIsWrongIsToldWithItsRemedy()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        string missing = FaultOf(server.Url("prefix").Replace("models", "elsewhere", StringComparison.Ordinal));
        Assert.Contains("There is no bucket 'elsewhere' at http://127.0.0.1:", missing);
        server.Refusal = (_, _) => 403;
        Assert.Contains("Let these credentials list 'models'", FaultOf(server.Url("prefix")));
        server.Refusal = (_, _) => null;
        string url = server.Url("prefix");
        try
        {
            Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", "another");
            Assert.Contains("AWS_SECRET_ACCESS_KEY is not the secret", FaultOf(url));
            Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", "nobody");
            Assert.Contains("does not know the key in AWS_ACCESS_KEY_ID", FaultOf(url));
        }
        finally
        {
            Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", FakeS3.AccessKey);
            Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", FakeS3.SecretKey);
        }

        static string FaultOf(string place)
        {
            using var folder = new TemporaryFolder();
            using var store = new ArtifactStore(folder.Path, ArtifactLocation.Parse(place));
            return Assert.Throws<StorageException>(store.Probe).Message;
        }
    }

    [Fact]
    public async Task AnUploadInPartsThatADeadProcessLeftIsEndedWithTheGarbageAndItsFailureToEndHidesNoOther()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        using var host = new Host(server);
        using var folder = new TemporaryFolder();
        using var bucket = new S3Bucket(ArtifactLocation.Parse(server.Url("prefix"))!, partBytes: 1000);
        File.WriteAllBytes(folder["large"], new byte[2500]);
        int puts = 0;
        server.Refusal = (method, _) => (method == "PUT" && ++puts > 1) || method == "DELETE" ? 403 : null;
        StorageException failure = Assert.Throws<StorageException>(() =>
            bucket.Put("prefix/objects/ab/left/files/large", folder["large"], Convert.ToHexStringLower(SHA256.HashData(new byte[2500])))
        );
        Assert.Contains("'prefix/objects/ab/left/files/large': AccessDenied", failure.Message);
        Assert.Equal(1, server.UnfinishedUploads);

        server.Refusal = (_, _) => null;
        DateTimeOffset before = DateTimeOffset.UtcNow - TimeSpan.FromHours(24);
        Assert.Equal(0, host.Store.AbortUploadsOlderThan(before, dryRun: false));
        server.Age(TimeSpan.FromHours(25));
        Assert.Equal(1, host.Store.AbortUploadsOlderThan(before, dryRun: true));
        Assert.Equal(1, server.UnfinishedUploads);
        Assert.Equal(1, host.Store.AbortUploadsOlderThan(before, dryRun: false));
        Assert.Equal(0, server.UnfinishedUploads);
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
        Assert.True(
            bucket.TryRead(
                "large",
                stream =>
                {
                    using var memory = new MemoryStream();
                    stream.CopyTo(memory);
                    read = memory.ToArray();
                }
            )
        );
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
        Assert.DoesNotContain(
            "hush",
            Assert.Throws<StorageException>(() => ArtifactLocation.Parse("s3://models?endpoint=http://key:hush@host")).Message
        );
        using var host = new Host(server);
        server.Refusal = (_, _) => 403;
        Assert.DoesNotContain(FakeS3.SecretKey, Assert.Throws<StorageException>(() => host.Seal(("a", "b"))).ToString());
    }

    [Theory]
    [InlineData("models/prefix")]
    [InlineData("http://models/prefix")]
    [InlineData("s3://models/prefix?endpoint=host")]
    [InlineData("s3://models/prefix?region=a&more=b")]
    public void OtherPlacesAreRefused(string url) =>
        Assert.Contains("s3://BUCKET", Assert.Throws<StorageException>(() => ArtifactLocation.Parse(url)).Message);

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
