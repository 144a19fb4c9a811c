using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ElectraPipeline.Storage.Artifacts;

/// <summary>A file of a sealed folder.</summary>
/// <param name="Path">Its path in the folder, with '/'.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">SHA-256 of its bytes, lower-case hex.</param>
internal sealed record ListedFile(string Path, long Length, string Sha256);

/// <summary>The file list of a folder, by which the folder is named.</summary>
internal sealed class FolderListing
{
    private FolderListing(IReadOnlyList<ListedFile> files)
    {
        Files = files;
        Text = Encoding.UTF8.GetBytes(string.Concat(files.Select(file => $"{file.Sha256} {file.Length} {file.Path}\n")));
        Digest = Convert.ToHexStringLower(SHA256.HashData(Text));
    }

    /// <summary>The files, sorted by path.</summary>
    public IReadOnlyList<ListedFile> Files { get; }

    /// <summary>One line a file: SHA-256, length, path.</summary>
    public byte[] Text { get; }

    /// <summary>SHA-256 of <see cref="Text"/>, lower-case hex.</summary>
    public string Digest { get; }

    /// <summary>Size of the files.</summary>
    public long Bytes => Files.Sum(file => file.Length);

    /// <summary>Reads a folder; <paramref name="sync"/> makes its files and names durable.</summary>
    /// <exception cref="StorageException">It holds a link.</exception>
    public static FolderListing Of(string folder, bool sync)
    {
        var files = EntriesOf(folder)
            .OfType<FileInfo>()
            .Select(file => (file.FullName, Path: Path.GetRelativePath(folder, file.FullName).Replace('\\', '/')))
            .OrderBy(file => file.Path, StringComparer.Ordinal)
            .Select(file => Read(file.FullName, file.Path, sync))
            .ToList();
        if (sync)
        {
            SyncFolders(folder);
        }

        return new FolderListing(files);
    }

    /// <summary>All files and folders of a folder, none of which is a link: one could lead anywhere, and around in circles.</summary>
    /// <exception cref="StorageException">It holds a link.</exception>
    public static IReadOnlyList<FileSystemInfo> EntriesOf(string folder)
    {
        var entries = new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).ToList();
        return entries.Find(entry => entry.LinkTarget is not null) is { } link
            ? throw new StorageException($"{link.FullName} is a link; a sealed folder holds plain files only")
            : entries;
    }

    /// <summary>Reads a stored list; null: its digest is another, so it is damaged.</summary>
    /// <exception cref="StorageException">A path in it leads out of the folder.</exception>
    public static FolderListing? Parse(byte[] text, string digest)
    {
        if (Convert.ToHexStringLower(SHA256.HashData(text)) != digest)
        {
            return null;
        }

        var files = new List<ListedFile>();
        foreach (string line in Encoding.UTF8.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(' ', 3);
            if (
                parts.Length != 3
                || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long length)
                || !StaysInside(parts[2])
            )
            {
                throw new StorageException($"the file list of {digest} has the line '{line}', which names no file inside its folder");
            }

            files.Add(new ListedFile(parts[2], length, parts[0]));
        }

        return new FolderListing(files);
    }

    private static bool StaysInside(string path) =>
        path.Length > 0 && !Path.IsPathRooted(path) && !path.Contains('\\') && !path.Split('/').Any(part => part is "" or "." or "..");

    private static ListedFile Read(string fullName, string path, bool sync)
    {
        using var handle = File.OpenHandle(fullName, options: FileOptions.SequentialScan);
        using var stream = new FileStream(handle, FileAccess.Read, bufferSize: 1);
        string hash = Convert.ToHexStringLower(SHA256.HashData(stream));
        if (sync)
        {
            FaultPoint.Reach("in the fsync of a file");
            RandomAccess.FlushToDisk(handle);
        }

        return new ListedFile(path, stream.Length, hash);
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
