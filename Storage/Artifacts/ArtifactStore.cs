using System.Security.Cryptography;
using System.Text;

namespace ElectraPipeline.Storage.Artifacts;

/// <summary>A folder sealed under objects/.</summary>
/// <param name="Digest">SHA-256 of its file list, hex.</param>
/// <param name="Kind">What it is, for people: "corpus", "model", "checkpoint".</param>
/// <param name="Bytes">Size of its files.</param>
/// <param name="Files">Number of its files.</param>
public sealed record SealedArtifact(string Digest, string Kind, long Bytes, int Files);

/// <summary>
/// Folders of files named by their content. Writers fill a folder of their own under work/; sealing hashes it, makes it durable and
/// renames it into objects/ab/abcd..., so nothing half-written ever stands there.
/// </summary>
/// <remarks>
/// The digest is the SHA-256 of one line a file, sorted by path: SHA-256 of its bytes, a space, its length, a space, its path with '/',
/// a line feed. Empty folders do not count.
/// </remarks>
public sealed class ArtifactStore
{
    private readonly string objects;
    private readonly string work;
    private readonly string cache;

    /// <summary>Opens the store in a data folder; makes its folders if missing.</summary>
    public ArtifactStore(string dataFolder)
    {
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

    /// <summary>Where a stage may keep what it can make again at any time; nothing that is named by the database. Deleting it is safe.</summary>
    public string CacheFolder(string stage) => Path.Combine(cache, stage);

    /// <summary>Whether a sealed folder is here.</summary>
    public bool Contains(string digest) => Directory.Exists(PathOf(digest));

    /// <summary>Where the files of a sealed folder are; they must not be changed.</summary>
    public string PathOf(string digest) => Path.Combine(objects, digest[..2], digest);

    /// <summary>
    /// Seals <paramref name="folder"/>, which must be on the store's volume and is gone afterwards. If the same content was sealed
    /// before, that is kept.
    /// </summary>
    /// <exception cref="StorageException">The folder has no files, holds a link, or the volume is full.</exception>
    public SealedArtifact Seal(string folder, string kind)
    {
        try
        {
            var listing = Listing.Of(folder, sync: true);
            if (listing.Files == 0)
            {
                throw new StorageException($"{folder} has no files: there is nothing to seal");
            }

            MoveIntoPlace(folder, listing.Digest);
            return new SealedArtifact(listing.Digest, kind, listing.Bytes, listing.Files);
        }
        catch (IOException e) when (DiskFull.Is(e))
        {
            throw DiskFull.Describe(e, folder);
        }
    }

    /// <summary>Reads a sealed folder and compares it with its digest. Null: it is whole; else what is wrong with it.</summary>
    public string? Verify(string digest)
    {
        string folder = PathOf(digest);
        if (!Directory.Exists(folder))
        {
            return $"{folder} is missing";
        }

        string found = Listing.Of(folder, sync: false).Digest;
        return found == digest ? null : $"{folder} holds other bytes than were sealed: its digest is {found}";
    }

    /// <summary>Copies the files of a sealed folder; the copies may be changed.</summary>
    public void Copy(string digest, string target, CancellationToken cancellationToken = default) => CopyFiles(PathOf(digest), target, cancellationToken);

    /// <summary>Copies a sealed folder and checks the copy; false: the folder is gone, as a pruned checkpoint is.</summary>
    /// <exception cref="StorageException">The copy does not match the digest.</exception>
    internal bool TryCopy(string digest, string target)
    {
        try
        {
            Copy(digest, target);
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && !Contains(digest))
        {
            DeleteFolder(target);
            return false;
        }

        string found = Listing.Of(target, sync: true).Digest;
        return found == digest ? true : throw new StorageException(
            $"{PathOf(digest)} holds other bytes than were sealed (digest {found}). Mend it before the backup: electra doctor");
    }

    /// <summary>Seals a copy of <paramref name="source"/>, whose digest must be <paramref name="digest"/>.</summary>
    /// <exception cref="StorageException">It holds other bytes, or is missing.</exception>
    internal void SealCopy(string source, string digest)
    {
        string copy = CreateWorkFolder($"copy.{digest}");
        if (!Directory.Exists(source))
        {
            throw new StorageException($"{source} is missing");
        }

        CopyFiles(source, copy, CancellationToken.None);
        string found = Listing.Of(copy, sync: true).Digest;
        if (found != digest)
        {
            DeleteFolder(copy);
            throw new StorageException($"{source} is damaged: its digest is {found}, not {digest}");
        }

        MoveIntoPlace(copy, digest);
    }

    /// <summary>Digests of all sealed folders that were last changed before <paramref name="before"/>.</summary>
    internal IEnumerable<string> DigestsOlderThan(DateTimeOffset before) =>
        from prefix in Directory.EnumerateDirectories(objects)
        from folder in Directory.EnumerateDirectories(prefix)
        where Directory.GetLastWriteTimeUtc(folder) < before.UtcDateTime
        select Path.GetFileName(folder);

    /// <summary>Removes a sealed folder; readers that have its files open keep them.</summary>
    internal void Delete(string digest)
    {
        // Renamed first, so that a crash in the middle leaves no sealed folder with files missing.
        string folder = PathOf(digest);
        string doomed = Path.Combine(work, $"deleted.{digest}");
        DeleteFolder(doomed);
        if (Directory.Exists(folder))
        {
            Directory.Move(folder, doomed);
            DeleteFolder(doomed);
        }
    }

    /// <summary>Size of the files of a sealed folder; 0 if it is gone.</summary>
    internal long BytesOf(string digest)
    {
        var folder = new DirectoryInfo(PathOf(digest));
        return folder.Exists ? folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) : 0;
    }

    /// <summary>
    /// Removes folders under work/ that were last changed before <paramref name="before"/> and that nobody uses; returns how many. A dry
    /// run only counts them.
    /// </summary>
    internal int DeleteWorkOlderThan(DateTimeOffset before, Func<string, bool> isUsed, bool dryRun)
    {
        var old = Directory.EnumerateDirectories(work)
            .Where(folder => Directory.GetLastWriteTimeUtc(folder) < before.UtcDateTime && !isUsed(Path.GetFileName(folder)))
            .ToList();
        if (!dryRun)
        {
            old.ForEach(DeleteFolder);
        }

        return old.Count;
    }

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

    /// <summary>The file list of a folder.</summary>
    private sealed record Listing(string Digest, long Bytes, int Files)
    {
        public static Listing Of(string folder, bool sync)
        {
            long bytes = 0;
            using var list = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var entries = new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).ToList();
            if (entries.Find(entry => entry.LinkTarget is not null) is { } link)
            {
                throw new StorageException($"{link.FullName} is a link; a sealed folder holds plain files only");
            }

            var files = entries.OfType<FileInfo>()
                .Select(file => (file.FullName, Path: Path.GetRelativePath(folder, file.FullName).Replace('\\', '/')))
                .OrderBy(file => file.Path, StringComparer.Ordinal)
                .ToList();
            foreach (var (fullName, path) in files)
            {
                var (hash, length) = HashFile(fullName, sync);
                bytes += length;
                list.AppendData(Encoding.UTF8.GetBytes($"{hash} {length} {path}\n"));
            }

            if (sync)
            {
                SyncFolders(folder);
            }

            return new Listing(Convert.ToHexStringLower(list.GetHashAndReset()), bytes, files.Count);
        }

        private static (string Hash, long Length) HashFile(string path, bool sync)
        {
            using var handle = File.OpenHandle(path, options: FileOptions.SequentialScan);
            using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 1);
            string hash = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (sync)
            {
                FaultPoint.Reach("in the fsync of a file");
                RandomAccess.FlushToDisk(handle);
            }

            return (hash, stream.Length);
        }

        private static void SyncFolders(string folder)
        {
            foreach (string inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
            {
                NativeFile.SyncFolder(inner);
            }

            NativeFile.SyncFolder(folder);
        }
    }
}
