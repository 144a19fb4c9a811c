using System.Text.RegularExpressions;

namespace ElectraPipeline.Storage.PostgreSql;

/// <summary>A folder with PostgreSQL's server programs.</summary>
/// <param name="Folder">Where initdb, pg_ctl and postgres are.</param>
/// <param name="Major">Their major version; 0 if the folder's name does not tell.</param>
internal sealed partial record PostgreSqlBinaries(string Folder, int Major)
{
    private static readonly string[] Programs = ["initdb", "pg_ctl", "postgres"];

    // Where Debian, Red Hat, Homebrew (Apple silicon, Intel) and a build from source put them.
    private static readonly (string Parent, string Pattern, string Inside)[] UsualFolders =
    [
        ("/usr/lib/postgresql", "*", "bin"),
        ("/usr", "pgsql-*", "bin"),
        ("/opt/homebrew/opt", "postgresql*", "bin"),
        ("/usr/local/opt", "postgresql*", "bin"),
        ("/usr/local", "pgsql", "bin"),
    ];

    /// <summary>
    /// All that are found, in order of preference: folders of PATH, then the usual folders with the newest version first.
    /// </summary>
    public static IReadOnlyList<PostgreSqlBinaries> FindAll()
    {
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var usual = UsualFolders
            .Where(place => Directory.Exists(place.Parent))
            .SelectMany(place =>
                Directory.EnumerateDirectories(place.Parent, place.Pattern).Select(folder => Path.Combine(folder, place.Inside))
            )
            .OrderByDescending(MajorOf)
            .ThenBy(folder => folder, StringComparer.Ordinal);
        return [.. onPath.Concat(usual).Where(IsComplete).Distinct().Select(folder => new PostgreSqlBinaries(folder, MajorOf(folder)))];
    }

    /// <summary>The full path of one of the programs.</summary>
    public string PathOf(string program) => Path.Combine(Folder, program);

    private static bool IsComplete(string folder) => Programs.All(program => File.Exists(Path.Combine(folder, program)));

    private static int MajorOf(string folder)
    {
        // PATH often holds links; the real folder's name carries the version.
        string real = new FileInfo(Path.Combine(folder, "postgres")).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder;
        Match match = VersionInPath().Match(real);
        return match.Success ? int.Parse(match.Groups[1].Value) : 0;
    }

    [GeneratedRegex(@"(?:postgresql|pgsql)[/@-](\d+)")]
    private static partial Regex VersionInPath();
}
