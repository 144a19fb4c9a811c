using System.Formats.Tar;
using System.IO.Compression;
using Npgsql;

namespace ElectraPipeline.TestSupport;

/// <summary>
/// What an earlier commit left when its worker was killed: archives of tests/EndToEnd.Tests/Upgrade/make.sh with the database (dump.sql,
/// Hangfire's schema too), the sealed folders, and what that commit itself ended with.
/// </summary>
public static class UpgradeArchive
{
    /// <summary>Unpacks an archive into an empty folder and loads its database; returns a connection string.</summary>
    public static async Task<string> RestoreAsync(PostgresFixture postgres, string archive, string folder)
    {
        await using (var packed = File.OpenRead(Path.Combine(SharedData.RepositoryRoot, "tests", "EndToEnd.Tests", "Upgrade", archive)))
        await using (var tar = new GZipStream(packed, CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(tar, Directory.CreateDirectory(folder).FullName, overwriteFiles: false);
        }

        string connectionString = await postgres.NewEmptyDatabaseAsync();
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var load = new NpgsqlCommand(await File.ReadAllTextAsync(Path.Combine(folder, "dump.sql")), connection);
        await load.ExecuteNonQueryAsync();
        return connectionString;
    }
}
