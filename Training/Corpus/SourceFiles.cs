using ElectraPipeline.Training.Corpus.Cache;

namespace ElectraPipeline.Training.Corpus;

/// <summary>One file to read.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Name">The path relative to the entry of <see cref="CorpusOptions.Paths"/> that led to it, with '/'.</param>
/// <param name="Length">Bytes on the disk.</param>
/// <param name="Sha256">Of those bytes, lower-case hexadecimal.</param>
public sealed record SourceFile(string Path, string Name, long Length, string Sha256)
{
    /// <summary>Where it may lie; what is opened is held to it.</summary>
    public InputFolders Allowed { get; init; } = InputFolders.Anywhere;

    /// <summary>Its text, which is of the bytes that were listed.</summary>
    /// <exception cref="IOException">It changed since.</exception>
    internal StreamReader OpenText() => new(new MemoryStream(CheckedFile.ReadAllBytes(Path, Sha256)));

    /// <summary>Lists a file.</summary>
    internal static SourceFile Of(string path, string name, InputFolders allowed)
    {
        (long length, string sha256) = FileDigests.Of(path, allowed);
        return new SourceFile(path, name, length, sha256) { Allowed = allowed };
    }
}

/// <summary>Finds the files that <see cref="CorpusOptions.Paths"/> means.</summary>
public static class SourceFiles
{
    /// <summary>The word that stands for the XML documentation of the .NET SDK in use.</summary>
    public const string DotNetDocsWord = "dotnet-docs";

    /// <summary>
    /// Entries in the order given; inside a folder or glob by name (ordinal). Hidden files (a name that begins with '.') in
    /// folders and globs are left out; a file that two entries name is read once. Of the links in folders and globs those are followed
    /// that lead to something in the same folder, so that whoever may write into a corpus cannot have other files read;
    /// <paramref name="onLink"/> gets the names of the others.
    /// </summary>
    /// <param name="options">The entries.</param>
    /// <param name="onLink">See above.</param>
    /// <param name="allowed">Where the files of an entry may lie; null: anywhere. The SDK's own are always allowed.</param>
    /// <exception cref="PermanentException">
    /// A path is missing, leads where it may not, a folder is empty or a glob matches nothing; the message names it.
    /// </exception>
    public static IReadOnlyList<SourceFile> Resolve(
        CorpusOptions options,
        Action<string>? onLink = null,
        Func<string, InputFolders>? allowed = null
    )
    {
        if (options.Paths.Count == 0)
        {
            throw new PermanentException("corpus.paths is empty; name at least one file, folder, glob or \"dotnet-docs\"");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        var found = new List<(string Path, string Name, InputFolders Folders)>();
        foreach (string entry in options.Paths)
        {
            bool isBuiltIn = IsDotNetDocs(entry);
            InputFolders folders = isBuiltIn || allowed is null ? InputFolders.Anywhere : allowed(entry);
            foreach ((string path, string name) in isBuiltIn ? DotNetDocs.Files() : Expand(entry, onLink))
            {
                if (seen.Add(path))
                {
                    found.Add((path, name, folders));
                }
            }
        }

        var files = new SourceFile[found.Count];
        ParallelWork.For(
            files.Length,
            Environment.ProcessorCount,
            i => files[i] = SourceFile.Of(found[i].Path, found[i].Name, found[i].Folders)
        );
        return files;
    }

    /// <summary>The folder that a glob starts at; a path without wildcards as it is.</summary>
    public static string BeforeWildcard(string path)
    {
        string[] segments = path.Split(Path.DirectorySeparatorChar);
        int wild = Array.FindIndex(segments, segment => segment.Contains('*'));
        return wild < 0 || Path.Exists(path)
            ? path
            : string.Join(Path.DirectorySeparatorChar, segments[..wild]) + Path.DirectorySeparatorChar;
    }

    private static bool IsDotNetDocs(string entry) =>
        entry == DotNetDocsWord || (Path.GetFileName(entry) == DotNetDocsWord && !Path.Exists(entry));

    private static IEnumerable<(string Path, string Name)> Expand(string entry, Action<string>? onLink)
    {
        string full = Path.GetFullPath(entry);
        if (File.Exists(full))
        {
            return [(full, Path.GetFileName(full))];
        }

        if (Directory.Exists(full))
        {
            return Match(full, "**/*", onLink, $"the folder {full} of corpus.paths holds no files", "put text there or change the path");
        }

        return full.Contains('*') ? ExpandGlob(full, onLink) : throw Missing(full);
    }

    private static IReadOnlyList<(string Path, string Name)> ExpandGlob(string glob, Action<string>? onLink)
    {
        string folder = BeforeWildcard(glob);
        if (!Directory.Exists(folder))
        {
            throw Missing(folder.TrimEnd(Path.DirectorySeparatorChar));
        }

        return Match(
            folder,
            glob[folder.Length..],
            onLink,
            $"no file matches {glob} of corpus.paths",
            "only * and ** are wildcards, and letter case counts"
        );
    }

    private static IReadOnlyList<(string Path, string Name)> Match(
        string folder,
        string pattern,
        Action<string>? onLink,
        string nothing,
        string remedy
    )
    {
        var links = new List<string>();
        IReadOnlyList<(string Path, string Name)> files = SourceFolder.Match(folder, pattern, links.Add);
        links.ForEach(link => onLink?.Invoke(link));
        return files.Count > 0
            ? files
            : throw new PermanentException(
                links.Count == 0
                    ? $"{nothing}; {remedy}"
                    : $"{nothing} but links that lead elsewhere, which are not followed ({string.Join(", ", links.Take(3))}); "
                        + "name in corpus.paths what they lead to"
            );
    }

    private static PermanentException Missing(string path)
    {
        string? folder = Path.GetDirectoryName(path);
        string there =
            folder is null || !Directory.Exists(folder)
                ? "its folder does not exist either"
                : "its folder holds: "
                    + string.Join(
                        ", ",
                        Directory
                            .EnumerateFileSystemEntries(folder)
                            .Select(Path.GetFileName)
                            .Order(StringComparer.Ordinal)
                            .Take(10)
                            .DefaultIfEmpty("nothing")
                    );
        return new PermanentException(
            $"{path} of corpus.paths is neither a file nor a folder; {there}. Paths are relative to the config file"
        );
    }
}
