using ElectraPipeline.Storage;
using ElectraPipeline.Storage.PostgreSql;
using Npgsql;
using Xunit;

namespace ElectraPipeline.TestSupport;

/// <summary>
/// One private PostgreSQL for a test assembly, in a temporary folder, and a fresh, migrated database for each storage opened. Works as
/// root and as an ordinary user; the server is stopped when the assembly is done.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private PrivateCluster? cluster;
    private int databases;

    /// <summary>Id of the server's first process.</summary>
    public int ServerProcess => cluster!.ServerProcess ?? throw new InvalidOperationException("the server is not running");

    public async ValueTask InitializeAsync()
    {
        // Tests kill processes, not machines: what the kernel has taken is safe without waiting for the disk.
        cluster = await PrivateCluster.StartAsync(folder["pg"], new Dictionary<string, string> { ["fsync"] = "off" });
        await using var template = await Database.OpenAsync(cluster.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await cluster.DisposeAsync();
        }

        folder.Dispose();
    }

    /// <summary>Connection string of a new database with the schema and no rows.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        string name = $"test{Interlocked.Increment(ref databases)}";
        var builder = new NpgsqlConnectionStringBuilder(cluster!.ConnectionString) { Database = "postgres", Pooling = false };
        await using (var connection = new NpgsqlConnection(builder.ConnectionString))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand($"create database {name} template electra", connection);
            await command.ExecuteNonQueryAsync();
        }

        builder.Database = name;
        builder.Pooling = true;
        builder.MaxPoolSize = 30;
        return builder.ConnectionString;
    }

    /// <summary>Opens a storage over a new database and <paramref name="dataFolder"/>.</summary>
    public async Task<ElectraStorage> OpenStorageAsync(string dataFolder) =>
        await ElectraStorage.OpenAsync(new StorageOptions { DataFolder = dataFolder, ConnectionString = await NewDatabaseAsync() });
}
