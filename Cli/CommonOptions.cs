using System.CommandLine;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.PostgreSql;
using ElectraPipeline.Training;

namespace ElectraPipeline.Cli;

/// <summary>Options that every command knows.</summary>
internal static class CommonOptions
{
    /// <summary>The environment variable behind --data.</summary>
    public const string DataVariable = "ELECTRA_DATA";

    /// <summary>The variable behind --database, for connection strings with a password: other users of the machine see options.</summary>
    public const string DatabaseVariable = "ELECTRA_DATABASE";

    public static readonly Option<string?> Data = new("--data")
    {
        Description = $"Folder of the database, artifacts and logs. Default: ${DataVariable}, else 'data' in the repository.",
        HelpName = "DIR",
        Recursive = true,
    };

    public static readonly Option<string?> Database = new("--database")
    {
        Description =
            "PostgreSQL connection string without a password. "
            + $"Default: ${DatabaseVariable}, else a private PostgreSQL in the data folder.",
        HelpName = "CONNECTION",
        Recursive = true,
    };

    public static readonly Option<string?> Artifacts = new("--artifacts")
    {
        Description =
            "Bucket for artifacts, s3://BUCKET/PREFIX?endpoint=URL&region=NAME; credentials from $AWS_ACCESS_KEY_ID and "
            + $"$AWS_SECRET_ACCESS_KEY alone. Default: ${StorageOptions.ArtifactsVariable}, else the place the database knows, else "
            + "the data folder.",
        HelpName = "URL",
        Recursive = true,
    };

    public static readonly Option<string?> Inputs = new("--input-folders")
    {
        Description =
            "Folders, colons between, that files named by configs may be read from, links followed. "
            + $"Default: ${InputFolders.Variable}, else the config's folder and whatever it names in full.",
        HelpName = "DIRS",
        Recursive = true,
    };

    /// <summary>For the commands that read text on several threads.</summary>
    public static readonly Option<int> Threads = new("--threads")
    {
        DefaultValueFactory = _ => Environment.ProcessorCount,
        Description = "Threads; they do not change the result.",
        Validators =
        {
            result =>
            {
                // What is no number at all is told by the parser.
                if (result.Tokens is [{ Value: string value }] && int.TryParse(value, out int threads) && threads < 1)
                {
                    result.AddError("--threads must be 1 or more");
                }
            },
        },
    };

    /// <summary>For the commands that print a table.</summary>
    public static readonly Option<bool> Json = new("--json") { Description = "Print JSON instead of a table." };

    /// <summary>The data folder this command line means, absolute.</summary>
    public static string DataFolderOf(ParseResult parseResult) =>
        Path.GetFullPath(
            parseResult.GetValue(Data) is { Length: > 0 } option ? option
            : Environment.GetEnvironmentVariable(DataVariable) is { Length: > 0 } variable ? variable
            : DefaultDataFolder()
        );

    /// <summary>The connection string given, or null for a private cluster.</summary>
    public static string? DatabaseOf(ParseResult parseResult) =>
        parseResult.GetValue(Database) is { Length: > 0 } option ? WithoutPassword(option)
        : Environment.GetEnvironmentVariable(DatabaseVariable) is { Length: > 0 } variable ? variable
        : null;

    /// <summary>The storage that this command line means.</summary>
    public static StorageOptions StorageOf(ParseResult parseResult) =>
        new()
        {
            DataFolder = DataFolderOf(parseResult),
            ConnectionString = DatabaseOf(parseResult),
            Artifacts = parseResult.GetValue(Artifacts) is { Length: > 0 } option ? option : null,
        };

    /// <summary>Where files that configs name may be read from.</summary>
    public static InputFolders InputFoldersOf(ParseResult parseResult) =>
        parseResult.GetValue(Inputs) is { Length: > 0 } option ? InputFolders.Parse(option) : InputFolders.OfEnvironment();

    private static string WithoutPassword(string option) =>
        !ConnectionFault.HoldsPassword(option)
            ? option
            : throw new UsageException(
                "--database holds a password, or what may be one: other users of this machine see it in the list of processes. "
                    + $"Set {DatabaseVariable} to the connection string, or keep the password in PGPASSWORD or ~/.pgpass."
            );

    /// <summary>Beside the sources when run from a checkout, so that deleting the clone deletes all; else where XDG keeps data.</summary>
    private static string DefaultDataFolder() =>
        Checkout.Root is { } root
            ? Path.Combine(root, "data")
            : Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
                "electra"
            );
}
