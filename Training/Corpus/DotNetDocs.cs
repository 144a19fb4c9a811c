using System.Runtime.InteropServices;
using System.Xml.Linq;
using ElectraPipeline.Training.Corpus.Readers;

namespace ElectraPipeline.Training.Corpus;

/// <summary>The English documentation that every .NET SDK installation carries: a corpus and a labelled set without a download.</summary>
public static class DotNetDocs
{
    private static readonly IReadOnlyDictionary<char, string> Kinds = new Dictionary<char, string>
    {
        ['T'] = "type",
        ['M'] = "method",
        ['P'] = "property",
        ['F'] = "field",
        ['E'] = "event",
    };

    /// <summary>The "packs" folder beside the runtime in use, else under DOTNET_ROOT, else beside the "dotnet" on the PATH.</summary>
    /// <exception cref="PermanentException">None of them has reference packs; the message lists where it looked.</exception>
    public static string PacksFolder()
    {
        string[] candidates = Roots().Select(root => Path.GetFullPath(Path.Combine(root, "packs"))).Distinct().ToArray();
        return candidates.FirstOrDefault(folder => Directory.Exists(folder) && Directory.EnumerateDirectories(folder, "*.Ref").Any())
            ?? throw new PermanentException(
                $"\"dotnet-docs\" needs the reference packs of a .NET SDK; looked for *.Ref folders in {string.Join(", ", candidates)}. "
                    + "Install the SDK or set DOTNET_ROOT to its folder"
            );
    }

    /// <summary>
    /// The documentation files, absolute path and name relative to the packs folder: of each pack the newest version, of files
    /// with one name (packs repeat each other's) the first, by pack name.
    /// </summary>
    internal static IEnumerable<(string Path, string Name)> Files()
    {
        string packs = PacksFolder();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var files = new List<(string Path, string Name)>();
        foreach (string pack in Directory.EnumerateDirectories(packs, "*.Ref").Order(StringComparer.Ordinal))
        {
            string? newest = Directory.EnumerateDirectories(pack).MaxBy(VersionOf);
            string reference = Path.Combine(newest ?? pack, "ref");
            if (Directory.Exists(reference))
            {
                files.AddRange(
                    Directory
                        .EnumerateFiles(reference, "*.xml", SearchOption.AllDirectories)
                        .Order(StringComparer.Ordinal)
                        .Where(path => seen.Add(Path.GetFileName(path)))
                        .Select(path => (path, Path.GetRelativePath(packs, path).Replace(Path.DirectorySeparatorChar, '/')))
                );
            }
        }

        return files.Count > 0 ? files : throw new PermanentException($"the reference packs in {packs} hold no XML documentation");
    }

    /// <summary>
    /// The labelled set "dotnet-docs:member-kind": the first sentence of a member's summary, the kind of member it describes
    /// (type, method, property, field, event) and the assembly.
    /// </summary>
    /// <remarks>
    /// A text appears once, compared without letter case, in order of first appearance and with the assembly of its first
    /// appearance, so that nothing is on both sides of a split. A text that describes members of several kinds has no right
    /// label and is left out.
    /// </remarks>
    public static IEnumerable<(string Text, string Label, string Group)> MemberKinds()
    {
        var order = new List<(string Text, string Label, string Group)>();
        var labels = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach ((string path, _) in Files())
        {
            string assembly = Path.GetFileNameWithoutExtension(path);
            foreach ((string text, string label) in Summaries(path))
            {
                if (!labels.TryGetValue(text, out string? known))
                {
                    labels.Add(text, label);
                    order.Add((text, label, assembly));
                }
                else if (known != label)
                {
                    labels[text] = null;
                }
            }
        }

        return order.Where(row => labels[row.Text] is not null);
    }

    private static IEnumerable<(string Text, string Label)> Summaries(string path)
    {
        using FileStream stream = File.OpenRead(path);
        foreach (XElement member in DotNetDocsReader.Members(stream))
        {
            XElement? summary = member.Element("summary");
            string? sentence = summary is null ? null : XmlDocText.Sentences(summary).FirstOrDefault();
            if (sentence is not null && Kinds.TryGetValue(((string)member.Attribute("name")!)[0], out string? label))
            {
                yield return (sentence, label);
            }
        }
    }

    private static IEnumerable<string> Roots()
    {
        yield return Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..");
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } root)
        {
            yield return root;
        }

        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            string host = Path.Combine(folder, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
            if (folder.Length > 0 && File.Exists(host))
            {
                yield return Path.GetDirectoryName(File.ResolveLinkTarget(host, returnFinalTarget: true)?.FullName ?? host)!;
            }
        }
    }

    private static Version VersionOf(string folder) =>
        Version.TryParse(Path.GetFileName(folder).Split('-')[0], out Version? version) ? version : new Version(0, 0);
}
