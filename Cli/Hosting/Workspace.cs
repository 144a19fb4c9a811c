using System.CommandLine;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Hosting;

/// <summary>Opens the data folder and the database that a command line names.</summary>
internal static class Workspace
{
    /// <summary>Name under which this user's deeds are recorded.</summary>
    public static string Actor => $"user:{Environment.UserName}";

    /// <summary>Opens the stores; starts or joins the private PostgreSQL if no database is named.</summary>
    /// <exception cref="StorageException">There is no PostgreSQL to use, or folder or schema are of another version.</exception>
    public static Task<ElectraStorage> OpenAsync(ParseResult parsed, CancellationToken cancellationToken) =>
        ElectraStorage.OpenAsync(CommonOptions.StorageOf(parsed), cancellationToken);

    /// <summary>The same for commands that look after what there is: a new data folder would tell them that all is well.</summary>
    /// <exception cref="UsageException">Nothing was ever kept in the data folder, and no database is named.</exception>
    public static Task<ElectraStorage> OpenExistingAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string folder = CommonOptions.DataFolderOf(parsed);
        return CommonOptions.DatabaseOf(parsed) is not null || Directory.Exists(Path.Combine(folder, "postgresql"))
            ? OpenAsync(parsed, cancellationToken)
            : throw new UsageException(
                $"there is no data in {folder}; name the data folder with --data, or in {CommonOptions.DataVariable}"
            );
    }
}
