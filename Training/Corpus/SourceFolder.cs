using Microsoft.Extensions.FileSystemGlobbing;
using Microsoft.Extensions.FileSystemGlobbing.Abstractions;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// A folder of <see cref="CorpusOptions.Paths"/> as patterns see it: no hidden names, and of links those alone that lead to something in
/// the folder, not to what holds the link itself, and not from one linked folder to the next: that could go around in a circle.
/// </summary>
internal sealed class SourceFolder : DirectoryInfoBase
{
    private readonly SourceFolder? parent;
    private readonly string root;
    private readonly bool isLinked;
    private readonly Links links;

    private SourceFolder(string path, SourceFolder? parent, string root, bool isLinked, Links links)
    {
        FullName = path;
        this.parent = parent;
        this.root = root;
        this.isLinked = isLinked;
        this.links = links;
    }

    public override string Name => Path.GetFileName(FullName);

    public override string FullName { get; }

    public override DirectoryInfoBase? ParentDirectory => parent;

    /// <summary>
    /// The files in <paramref name="folder"/> and below it that match, by name (ordinal). Links to files that match and links to folders
    /// go to <paramref name="onLink"/>, by name too, where they are not followed. Names are relative to the folder, with '/'.
    /// </summary>
    public static IReadOnlyList<(string Path, string Name)> Match(string folder, string pattern, Action<string>? onLink)
    {
        var matcher = new Matcher(StringComparison.Ordinal);
        matcher.AddInclude(pattern);
        var links = new Links([], []);
        string top = folder.Length > 1 ? folder.TrimEnd('/') : folder;
        var start = new SourceFolder(top, null, RealPath.Of(top), isLinked: false, links);
        ILookup<bool, (string Path, string Name)> matches = matcher
            .Execute(start)
            .Files.Select(file => (Path: Path.GetFullPath(file.Path, top), Name: file.Path))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .ToLookup(file => links.Files.Contains(file.Path));
        IEnumerable<string> leftOut = matches[true]
            .Select(link => link.Name)
            .Concat(links.Folders.Select(path => Path.GetRelativePath(top, path)));
        foreach (string link in leftOut.Order(StringComparer.Ordinal))
        {
            onLink?.Invoke(link);
        }

        return [.. matches[false]];
    }

    public override IEnumerable<FileSystemInfoBase> EnumerateFileSystemInfos()
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(FullName).EnumerateFileSystemInfos().Where(entry => !entry.Name.StartsWith('.')))
        {
            bool isLink = entry.LinkTarget is not null;
            if (entry is DirectoryInfo)
            {
                if (isLink && (isLinked || !IsInside(entry) || HoldsThis(entry)))
                {
                    links.Folders.Add(entry.FullName);
                    continue;
                }

                yield return new SourceFolder(entry.FullName, this, root, isLinked || isLink, links);
            }
            else
            {
                if (isLink && !IsInside(entry))
                {
                    links.Files.Add(entry.FullName);
                }

                // Also if not followed: only those that the pattern matches are told of.
                yield return new FileInfoWrapper((FileInfo)entry);
            }
        }
    }

    // Patterns have no "..", and literal folders are looked for among the entries.
    public override DirectoryInfoBase? GetDirectory(string path) => throw new NotSupportedException();

    public override FileInfoBase? GetFile(string path) => throw new NotSupportedException();

    // Asked of the target: of a link that leads nowhere the runtime says that it exists.
    private bool IsInside(FileSystemInfo link) =>
        RealPath.Of(link.FullName) is var target && RealPath.IsIn(target, root) && Path.Exists(target);

    private bool HoldsThis(FileSystemInfo link) => RealPath.IsIn(RealPath.Of(FullName), RealPath.Of(link.FullName));

    /// <summary>Full paths of links that are not followed.</summary>
    private sealed record Links(HashSet<string> Files, HashSet<string> Folders);
}
