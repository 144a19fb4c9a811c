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
}
