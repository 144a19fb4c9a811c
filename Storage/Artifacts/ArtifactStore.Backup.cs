namespace ElectraPipeline.Storage.Artifacts;

/// <content>Copies for backups and from them, each compared with its digest.</content>
public sealed partial class ArtifactStore
{
    /// <summary>Copies a sealed folder and checks the copy; false: the folder is gone, as a pruned checkpoint is.</summary>
    /// <exception cref="StorageException">The copy does not match the digest.</exception>
    internal bool TryCopy(string digest, string target)
    {
        try
        {
            if (bucket is null)
            {
                CopyFiles(PathOf(digest), target, CancellationToken.None);
            }
            else if (!bucket.TryDownload(digest, target))
            {
                DeleteFolder(target);
                return false;
            }
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException && !Contains(digest))
        {
            DeleteFolder(target);
            return false;
        }

        string found = FolderListing.Of(target, sync: true).Digest;
        return found == digest
            ? true
            : throw new StorageException(
                $"{PathOf(digest)} holds other bytes than were sealed (digest {found}). Mend it before the backup: electra doctor"
            );
    }

    /// <summary>Seals a copy of <paramref name="source"/>, whose digest must be <paramref name="digest"/>.</summary>
    /// <exception cref="StorageException">It holds other bytes or a link, or is missing.</exception>
    internal void SealCopy(string source, string digest)
    {
        if (!Directory.Exists(source))
        {
            throw new StorageException($"{source} is missing");
        }

        _ = FolderListing.EntriesOf(source); // refuses links
        string copy = CreateWorkFolder($"copy.{digest}");
        CopyFiles(source, copy, CancellationToken.None);
        FolderListing found = FolderListing.Of(copy, sync: true);
        if (found.Digest != digest)
        {
            DeleteFolder(copy);
            throw new StorageException($"{source} is damaged: its digest is {found.Digest}, not {digest}");
        }

        MoveIntoPlace(copy, digest);
        bucket?.Upload(PathOf(digest), found);
    }
}
