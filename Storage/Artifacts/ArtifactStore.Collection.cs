namespace ElectraPipeline.Storage.Artifacts;

/// <content>What the garbage collector and the examination ask of the store.</content>
public sealed partial class ArtifactStore
{
    /// <summary>Which of these sealed folders are not in the store; asks a bucket once for all.</summary>
    internal IReadOnlyList<string> Missing(IReadOnlyList<string> digests)
    {
        var there = bucket?.ChangedAt();
        return [.. digests.Where(digest => there is null ? !Contains(digest) : !there.ContainsKey(digest))];
    }

    /// <summary>
    /// Digests of all sealed folders that were last changed before <paramref name="before"/>, here or in the bucket; also of those that an
    /// upload left unfinished there.
    /// </summary>
    internal IEnumerable<string> DigestsOlderThan(DateTimeOffset before) =>
        CopiesOlderThan(before)
            .Union(from item in bucket?.ChangedAt() ?? new Dictionary<string, DateTimeOffset>() where item.Value < before select item.Key);

    /// <summary>
    /// Removes copies of what is in the bucket that were last fetched before <paramref name="before"/> and that nobody uses; returns how
    /// many. A dry run only counts them.
    /// </summary>
    internal int DeleteCopiesOlderThan(DateTimeOffset before, Func<string, bool> isUsed, bool dryRun)
    {
        var old = bucket is null ? [] : CopiesOlderThan(before).Where(digest => !isUsed(digest) && bucket.Contains(digest)).ToList();
        if (!dryRun)
        {
            old.ForEach(DeleteCopy);
        }

        return old.Count;
    }

    /// <summary>Removes a sealed folder; readers that have its files open keep them.</summary>
    internal void Delete(string digest)
    {
        bucket?.Delete(digest);
        DeleteCopy(digest);
    }

    // What is a copy of the bucket's, or without a bucket the only one.
    private void DeleteCopy(string digest)
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
        return bucket is not null ? bucket.BytesOf(digest)
            : folder.Exists ? folder.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length)
            : 0;
    }

    /// <summary>
    /// Removes folders under work/ that were last changed before <paramref name="before"/> and that nobody uses; returns how many. A dry
    /// run only counts them.
    /// </summary>
    internal int DeleteWorkOlderThan(DateTimeOffset before, Func<string, bool> isUsed, bool dryRun)
    {
        var old = Directory
            .EnumerateDirectories(work)
            .Where(folder => Directory.GetLastWriteTimeUtc(folder) < before.UtcDateTime && !isUsed(Path.GetFileName(folder)))
            .ToList();
        if (!dryRun)
        {
            old.ForEach(DeleteFolder);
        }

        return old.Count;
    }

    // What else lies there (lost+found, what somebody put there) is not ours to remove.
    private IEnumerable<string> CopiesOlderThan(DateTimeOffset before) =>
        from prefix in Directory.EnumerateDirectories(objects, "??")
        from folder in Directory.EnumerateDirectories(prefix)
        where IsOurs(folder)
        where Directory.GetLastWriteTimeUtc(folder) < before.UtcDateTime
        select Path.GetFileName(folder);

    private bool IsOurs(string folder) => Path.GetFileName(folder) is var name && IsDigest(name) && folder == PathOf(name);

    /// <summary>Entries of objects/ that no store wrote.</summary>
    internal IReadOnlyList<string> Strangers() =>
        [
            .. Directory
                .EnumerateFileSystemEntries(objects)
                .SelectMany(prefix =>
                    Path.GetFileName(prefix).Length == 2 && Directory.Exists(prefix)
                        ? Directory.EnumerateFileSystemEntries(prefix).Where(entry => !(Directory.Exists(entry) && IsOurs(entry)))
                        : [prefix]
                )
                .Where(entry => Path.GetFileName(entry) != "lost+found")
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>
    /// Ends uploads of large files that were begun before <paramref name="before"/> and never finished; returns how many.
    /// </summary>
    internal int AbortUploadsOlderThan(DateTimeOffset before, bool dryRun) => bucket?.AbortUploadsOlderThan(before, dryRun) ?? 0;
}
