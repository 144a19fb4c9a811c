using ElectraPipeline.Storage;
using ElectraPipeline.Storage.PostgreSql;
using Npgsql;
using Xunit;

namespace ElectraPipeline.TestSupport;

/// <summary>A real PostgreSQL, started for one test assembly and stopped at its end. Use as an assembly fixture.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private PrivateCluster? cluster;

    /// <summary>Id of the server's first process.</summary>
    public int? ServerProcess => cluster?.ServerProcess;

    public async ValueTask InitializeAsync() => cluster = await PrivateCluster.StartAsync(Path.Combine(folder.Path, "postgresql"));

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await cluster!.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>Connection string of a new, empty database.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        string name = "test_" + Guid.NewGuid().ToString("N");
        await using var connection = new NpgsqlConnection(cluster!.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"create database {name}", connection);
        await command.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Database = name }.ConnectionString;
    }

    /// <summary>All stores on a new database and the data folder given.</summary>
    public async Task<ElectraStorage> OpenStorageAsync(string dataFolder) => await ElectraStorage.OpenAsync(
        new StorageOptions { DataFolder = dataFolder, ConnectionString = await CreateDatabaseAsync() });
}
