namespace ElectraPipeline.Storage.Artifacts;

/// <summary>A folder sealed under objects/.</summary>
/// <param name="Digest">SHA-256 of its file list, hex.</param>
/// <param name="Kind">What it is, for people: "corpus", "model", "checkpoint".</param>
/// <param name="Bytes">Size of its files.</param>
/// <param name="Files">Number of its files.</param>
public sealed record SealedArtifact(string Digest, string Kind, long Bytes, int Files);

/// <summary>
/// Folders of files named by their content. Writers fill a folder of their own under work/; sealing hashes it, makes it durable and
/// renames it into objects/ab/abcd..., so nothing half-written ever stands there. The folder is one host's own, or one that several hosts
/// mount; with a bucket behind it, what is sealed is in the bucket, and objects/ holds this host's copies.
/// </summary>
/// <remarks>
/// The digest is the SHA-256 of one line a file, sorted by path: SHA-256 of its bytes, a space, its length, a space, its path with '/',
/// a line feed. Empty folders do not count.
/// </remarks>
public sealed partial class ArtifactStore : IDisposable
{
    private readonly BucketArtifacts? bucket;
    private readonly S3Bucket? client;
    private readonly string objects;
    private readonly string work;
    private readonly string cache;

    /// <summary>Opens the store in a data folder; makes its folders if missing.</summary>
    public ArtifactStore(string dataFolder)
        : this(dataFolder, null) { }

    /// <summary>Opens the store in a data folder with a bucket behind it; null: the folder alone.</summary>
    /// <exception cref="StorageException">The environment has no credentials for the bucket.</exception>
    internal ArtifactStore(string dataFolder, ArtifactLocation? location)
    {
        if (location is not null)
        {
            client = new S3Bucket(location);
            bucket = new BucketArtifacts(client, location);
        }

        objects = Path.Combine(Path.GetFullPath(dataFolder), "objects");
        work = Path.Combine(Path.GetFullPath(dataFolder), "work");
        cache = Path.Combine(Path.GetFullPath(dataFolder), "cache");
        Directory.CreateDirectory(objects);
        Directory.CreateDirectory(work);
    }

    /// <summary>Makes an empty folder that belongs to one lease of a stage run; what an earlier process left there is removed.</summary>
    public string CreateWorkFolder(long stageRunId, long epoch) => CreateWorkFolder($"{stageRunId}.{epoch}");

    /// <summary>Makes an empty folder for work that belongs to no stage run; the caller seals or deletes it.</summary>
    public string CreateWorkFolder(string name)
    {
        string folder = Path.Combine(work, name);
        DeleteFolder(folder);
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>Removes a lease's folder, if it is there.</summary>
    public void DeleteWorkFolder(long stageRunId, long epoch) => DeleteFolder(Path.Combine(work, $"{stageRunId}.{epoch}"));

    /// <summary>
    /// Where a stage may keep what it can make again at any time; nothing that is named by the database. Deleting it is safe.
    /// </summary>
    public string CacheFolder(string stage) => Path.Combine(cache, stage);

    /// <summary>Where sealed folders are: this, or the bucket of it, for people.</summary>
    public string Place => bucket?.Place ?? objects;

    /// <inheritdoc/>
    public void Dispose() => client?.Dispose();

    /// <summary>
    /// Writes, reads and removes an object of the bucket, so that one who works finds out before a stage does. Nothing without one.
    /// </summary>
    /// <exception cref="StorageException">The bucket cannot be used: no credentials, no right, no answer.</exception>
    public void Probe() => bucket?.Probe();

    /// <summary>Whether a sealed folder is in the store.</summary>
    public bool Contains(string digest) => bucket?.Contains(digest) ?? Directory.Exists(PathOf(digest));

    /// <summary>Where the files of a sealed folder are, or will be once they are fetched.</summary>
    /// <exception cref="StorageException">It is no digest, so its path could be any.</exception>
    public string PathOf(string digest) =>
        IsDigest(digest)
            ? Path.Combine(objects, digest[..2], digest)
            : throw new StorageException($"'{digest}' is no digest of a sealed folder: 64 hexadecimal digits in lower case");

    /// <summary>Whether a text is a SHA-256 as folders are named: 64 hexadecimal digits in lower case.</summary>
    internal static bool IsDigest(string? text) => text is { Length: 64 } && text.AsSpan().IndexOfAnyExcept("0123456789abcdef") < 0;

    /// <summary>
    /// Where the files of a sealed folder are; they must not be changed. From a bucket they are copied first, and the copy is compared with
    /// the digest.
    /// </summary>
    /// <exception cref="StorageException">It is not in the bucket, or the bucket holds other bytes than were sealed.</exception>
    public string Fetch(string digest)
    {
        string folder = PathOf(digest);
        if (bucket is null)
        {
            return folder;
        }

        if (Directory.Exists(folder))
        {
            Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow); // in use: see DeleteCopiesOlderThan
            return folder;
        }

        string copy = CreateWorkFolder($"fetched.{digest}.{Guid.NewGuid():N}");
        try
        {
            if (!bucket.TryDownload(digest, copy))
            {
                throw new StorageException($"{bucket.PathOf(digest)} is missing: run its config again, and it is made again");
            }

            string found = FolderListing.Of(copy, sync: true).Digest;
            if (found != digest)
            {
                throw new StorageException(
                    $"{bucket.PathOf(digest)} holds other bytes than were sealed: its digest is {found}; see: electra doctor --deep"
                );
            }

            MoveIntoPlace(copy, digest);
            return folder;
        }
        catch (IOException e) when (DiskTrouble.In(e, folder) is { } trouble)
        {
            throw trouble;
        }
        finally
        {
            DeleteFolder(copy);
        }
    }

    /// <summary>
    /// Seals <paramref name="folder"/>, which must be on the store's volume and is gone afterwards. If the same content was sealed
    /// before, that is kept.
    /// </summary>
    /// <exception cref="StorageException">The folder has no files, holds a link, or the bucket fails.</exception>
    /// <exception cref="DiskTroubleException">The volume takes no files.</exception>
    public SealedArtifact Seal(string folder, string kind)
    {
        try
        {
            var listing = FolderListing.Of(folder, sync: true);
            if (listing.Files.Count == 0)
            {
                throw new StorageException($"{folder} has no files: there is nothing to seal");
            }

            MoveIntoPlace(folder, listing.Digest);
            bucket?.Upload(PathOf(listing.Digest), listing);
            return new SealedArtifact(listing.Digest, kind, listing.Bytes, listing.Files.Count);
        }
        catch (IOException e) when (DiskTrouble.In(e, folder) is { } trouble)
        {
            throw trouble;
        }
    }

    /// <summary>Reads a sealed folder and compares it with its digest. Null: it is whole; else what is wrong with it.</summary>
    public string? Verify(string digest)
    {
        string folder = PathOf(digest);
        if (bucket?.Verify(digest) is { } fault)
        {
            return fault;
        }

        if (!Directory.Exists(folder))
        {
            return bucket is null ? $"{folder} is missing" : null; // no copy here
        }

        string found = FolderListing.Of(folder, sync: false).Digest;
        return found == digest ? null : $"{folder} holds other bytes than were sealed: its digest is {found}";
    }

    /// <summary>Copies the files of a sealed folder; the copies may be changed.</summary>
    public void Copy(string digest, string target, CancellationToken cancellationToken = default) =>
        CopyFiles(Fetch(digest), target, cancellationToken);

    private static void CopyFiles(string source, string target, CancellationToken cancellationToken)
    {
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void MoveIntoPlace(string folder, string digest)
    {
        string target = PathOf(digest);
        string parent = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(parent))
        {
            Directory.CreateDirectory(parent);
            NativeFile.SyncFolder(objects);
        }

        try
        {
            // Its age counts from now for the garbage collector.
            Directory.SetLastWriteTimeUtc(folder, DateTime.UtcNow);
            FaultPoint.Reach("before the rename of a sealed folder");
            Directory.Move(folder, target);
            FaultPoint.Reach("after the rename of a sealed folder");
        }
        catch (IOException) when (Directory.Exists(target))
        {
            Directory.SetLastWriteTimeUtc(target, DateTime.UtcNow);
            DeleteFolder(folder);
        }

        NativeFile.SyncFolder(parent);
    }
}
