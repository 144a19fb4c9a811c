namespace ElectraPipeline.Training;

/// <summary>Where paths lead once every link on the way is followed. A path that does not exist leads where it would be made.</summary>
public static class RealPath
{
    /// <summary>As many as Linux follows in one path.</summary>
    private const int MostLinks = 40;

    /// <summary>The absolute path without links that <paramref name="path"/> leads to.</summary>
    /// <exception cref="PermanentException">Its links lead around in a circle.</exception>
    public static string Of(string path)
    {
        string full = Path.GetFullPath(path);
        string resolved = "/";
        int links = 0;
        var rest = new Stack<string>(full.Split('/').Reverse());
        while (rest.TryPop(out string? part))
        {
            if (part is "" or "." or "..")
            {
                resolved = part == ".." ? Path.GetDirectoryName(resolved) ?? "/" : resolved;
                continue;
            }

            string next = Path.Join(resolved, part);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                resolved = next;
                continue;
            }

            if (++links > MostLinks)
            {
                throw new PermanentException($"{path}: its links lead around in a circle; {next} is the last one that was followed");
            }

            resolved = target.StartsWith('/') ? "/" : resolved;
            foreach (string piece in target.Split('/').Reverse())
            {
                rest.Push(piece);
            }
        }

        return resolved;
    }

    /// <summary>Whether a path without links is a folder without links, or lies in it.</summary>
    public static bool IsIn(string path, string folder) =>
        folder == "/" || path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>
    /// Every place that reading <paramref name="path"/>, and all below it where it is a folder, may lead to: itself, and what links in it
    /// lead to, also from one linked folder to the next.
    /// </summary>
    /// <exception cref="PermanentException">Links lead around in a circle.</exception>
    public static IReadOnlyList<string> Reached(string path)
    {
        var found = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var next = new Queue<string>([Of(path)]);
        while (next.TryDequeue(out string? place))
        {
            if (!seen.Add(place))
            {
                continue;
            }

            found.Add(place);
            if (Directory.Exists(place))
            {
                foreach (string link in LinksIn(place))
                {
                    next.Enqueue(Of(link));
                }
            }
        }

        return found;
    }

    private static IEnumerable<string> LinksIn(string folder)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (entry.LinkTarget is not null)
            {
                yield return entry.FullName;
            }
            else if (entry is DirectoryInfo)
            {
                foreach (string link in LinksIn(entry.FullName))
                {
                    yield return link;
                }
            }
        }
    }
}
