namespace ElectraPipeline.Training;

/// <summary>
/// Which folders files named by configs may be read from: all, or those that the operator names. Links are followed before a path is
/// compared, so none leads out.
/// </summary>
public sealed class InputFolders
{
    /// <summary>The environment variable with the folders, colons between.</summary>
    public const string Variable = "ELECTRA_INPUT_FOLDERS";

    private readonly IReadOnlyList<string> folders;
    private readonly InputFolders? others;

    private InputFolders(IReadOnlyList<string> names, InputFolders? others = null)
    {
        Names = names;
        folders = [.. names.Select(RealPath.Of)];
        this.others = others;
    }

    /// <summary>No confinement.</summary>
    public static InputFolders Anywhere { get; } = new([]);

    /// <summary>What <see cref="Variable"/> says.</summary>
    /// <exception cref="PermanentException">It names a folder that does not exist, or none.</exception>
    public static InputFolders OfEnvironment() => Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The folders as they were named, absolute.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Whether only some folders are allowed.</summary>
    public bool AreConfined => folders.Count > 0;

    /// <summary>Reads a list of folders with colons between; null and "": anywhere.</summary>
    /// <exception cref="PermanentException">It names a folder that does not exist, or none.</exception>
    public static InputFolders Parse(string? list)
    {
        if (string.IsNullOrEmpty(list))
        {
            return Anywhere;
        }

        string[] names = list.Split(':', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0)
        {
            throw new PermanentException($"{Variable} is \"{list}\", which names no folder; leave it out to read from everywhere");
        }

        foreach (string name in names.Where(name => !Directory.Exists(name)))
        {
            throw new PermanentException($"{Variable} names {name}, which is no folder; make it, or take it out of the list");
        }

        return Of(names);
    }

    /// <summary>Only these folders, at least one; whether they exist does not matter.</summary>
    public static InputFolders Of(IReadOnlyList<string> names) => new([.. names.Select(Path.GetFullPath)]);

    /// <summary>What both allow.</summary>
    public InputFolders And(InputFolders other) =>
        !AreConfined ? other
        : !other.AreConfined ? this
        : new InputFolders(Names, other);

    /// <summary>Whether a path without links may be read.</summary>
    public bool Allow(string realPath) =>
        !AreConfined || (folders.Any(folder => RealPath.IsIn(realPath, folder)) && others?.Allow(realPath) != false);

    /// <summary>The folders, for messages.</summary>
    public override string ToString() =>
        !AreConfined ? "every folder" : string.Join(", ", folders) + (others is null ? "" : $" and at once {others}");
}
