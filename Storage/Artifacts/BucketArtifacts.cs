namespace ElectraPipeline.Storage.Artifacts;

/// <summary>
/// Sealed folders in a bucket: <c>objects/ab/abcd.../files/PATH</c>, and <c>objects/ab/abcd.../manifest</c>, the file list whose SHA-256 is
/// the digest. The manifest is written last and removed first, so a folder is there whole or not at all.
/// </summary>
internal sealed class BucketArtifacts(S3Bucket bucket, ArtifactLocation location)
{
    private const string ManifestName = "manifest";

    private string Root => location.Prefix.Length == 0 ? "objects/" : location.Prefix + "/objects/";

    /// <summary>The bucket and what its keys begin with, for people.</summary>
    public string Place => location.DisplayName;

    /// <summary>Where a sealed folder is, for people.</summary>
    public string PathOf(string digest) => $"s3://{location.Bucket}/{Folder(digest)}";

    /// <summary>
    /// Whether a sealed folder is there with all of its files: one that was removed while another process uploaded the same content may
    /// have its manifest alone.
    /// </summary>
    public bool Contains(string digest) => TryReadListing(digest) is { } listing && HasFiles(digest, listing);

    /// <summary>Stores a sealed folder, if it is not there already.</summary>
    /// <exception cref="StorageException">The bucket cannot be reached, or holds other bytes than were sent.</exception>
    public void Upload(string folder, FolderListing listing)
    {
        if (Contains(listing.Digest))
        {
            return;
        }

        foreach (ListedFile file in listing.Files)
        {
            FaultPoint.Reach("before the upload of a file");
            bucket.Put(FileKey(listing.Digest, file.Path), Path.Combine(folder, file.Path), file.Sha256);
        }

        FaultPoint.Reach("before the upload of a manifest");
        bucket.Put(Folder(listing.Digest) + ManifestName, listing.Text);
        FaultPoint.Reach("after the upload of a manifest");
    }

    /// <summary>Reads a sealed folder into an empty one; false: it is not there. The caller compares the digest.</summary>
    public bool TryDownload(string digest, string target)
    {
        if (TryReadListing(digest) is not { } listing)
        {
            return false;
        }

        foreach (ListedFile file in listing.Files)
        {
            FaultPoint.Reach("before the download of a file");
            string path = Path.Combine(target, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!bucket.TryRead(FileKey(digest, file.Path), stream => Write(stream, path)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads a sealed folder and compares it with its digest. Null: it is whole; else what is wrong with it.</summary>
    public string? Verify(string digest)
    {
        if (TryReadListing(digest) is not { } listing)
        {
            return $"{PathOf(digest)} is missing";
        }

        foreach (ListedFile file in listing.Files)
        {
            string found = "";
            if (
                !bucket.TryRead(
                    FileKey(digest, file.Path),
                    stream => found = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream))
                )
            )
            {
                return $"{PathOf(digest)}files/{file.Path} is missing";
            }

            if (found != file.Sha256)
            {
                return $"{PathOf(digest)}files/{file.Path} holds other bytes than were sealed: its SHA-256 is {found}";
            }
        }

        return null;
    }

    /// <summary>Digests of all folders that are there, whole or in part, and when each was last changed.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> ChangedAt() =>
        bucket
            .List(Root)
            .Select(item => (Parts: item.Key[Root.Length..].Split('/'), item.ChangedAt))
            .Where(item => item.Parts.Length > 2 && ArtifactStore.IsDigest(item.Parts[1]))
            .GroupBy(item => item.Parts[1], item => item.ChangedAt)
            .ToDictionary(group => group.Key, group => group.Max());

    /// <summary>Removes a sealed folder.</summary>
    public void Delete(string digest)
    {
        bucket.Delete(Folder(digest) + ManifestName);
        FaultPoint.Reach("after the removal of a manifest");
        foreach (BucketObject item in bucket.List(Folder(digest)))
        {
            bucket.Delete(item.Key);
        }
    }

    /// <summary>
    /// Ends uploads in parts that were begun before <paramref name="before"/>; returns how many. A dry run only counts them.
    /// </summary>
    public int AbortUploadsOlderThan(DateTimeOffset before, bool dryRun)
    {
        var old = bucket.Uploads(Root).Where(upload => upload.BegunAt < before).ToList();
        if (!dryRun)
        {
            old.ForEach(upload => bucket.Abort(upload.Key, upload.Id));
        }

        return old.Count;
    }

    /// <summary>Size of the files of a sealed folder; 0 if it is gone.</summary>
    public long BytesOf(string digest) => bucket.List(Folder(digest) + "files/").Sum(item => item.Length);

    /// <summary>Writes, reads and removes an object; fails as any use of the bucket would.</summary>
    public void Probe()
    {
        string key = (location.Prefix.Length == 0 ? "" : location.Prefix + "/") + $"probe.{Guid.NewGuid():N}";
        bucket.Put(key, "probe"u8.ToArray());
        bucket.Delete(key);
    }

    // What an earlier try read before its connection broke is forgotten.
    private static void ReadAnew(Stream stream, MemoryStream text)
    {
        text.SetLength(0);
        stream.CopyTo(text);
    }

    private static void Write(Stream stream, string path)
    {
        using FileStream file = File.Create(path);
        stream.CopyTo(file);
    }

    private string Folder(string digest) => $"{Root}{digest[..2]}/{digest}/";

    private string FileKey(string digest, string path) => $"{Folder(digest)}files/{path}";

    private FolderListing? TryReadListing(string digest)
    {
        using var text = new MemoryStream();
        return bucket.TryRead(Folder(digest) + ManifestName, stream => ReadAnew(stream, text))
            ? FolderListing.Parse(text.ToArray(), digest)
                ?? throw new StorageException($"{PathOf(digest)}{ManifestName} is damaged: its SHA-256 is another")
            : null;
    }

    private bool HasFiles(string digest, FolderListing listing)
    {
        string files = Folder(digest) + "files/";
        var stored = bucket.List(files).ToDictionary(item => item.Key[files.Length..], item => item.Length);
        return listing.Files.All(file => stored.TryGetValue(file.Path, out long length) && length == file.Length);
    }
}
