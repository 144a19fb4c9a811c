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
    public Task<string> NewDatabaseAsync() => NewDatabaseAsync("electra");

    /// <summary>Connection string of a new database without anything of ours.</summary>
    public Task<string> NewEmptyDatabaseAsync() => NewDatabaseAsync("template0");

    /// <summary>Connection string of a new database for a new role that the server asks for a password, as servers elsewhere do.</summary>
    /// <param name="role">Its name, once in the fixture.</param>
    /// <param name="password">Its password.</param>
    /// <param name="rights">What it may: "superuser", or "" for nothing.</param>
    public async Task<string> NewGuardedDatabaseAsync(string role, string password, string rights = "")
    {
        var builder = new NpgsqlConnectionStringBuilder(await NewDatabaseAsync()) { Pooling = false };
        string rules = Path.Combine(folder["pg"], "data", "pg_hba.conf");
        await File.WriteAllTextAsync(rules, $"local all {role} scram-sha-256\n{await File.ReadAllTextAsync(rules)}");
        await using (var connection = new NpgsqlConnection(builder.ConnectionString))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(
                $"create role {role} login {rights} password '{password}'; select pg_reload_conf()",
                connection
            );
            await command.ExecuteNonQueryAsync();
        }

        builder.Username = role;
        builder.Password = password;
        return builder.ConnectionString;
    }

    /// <summary>Opens a storage over a new database and <paramref name="dataFolder"/>.</summary>
    public async Task<ElectraStorage> OpenStorageAsync(string dataFolder) =>
        await ElectraStorage.OpenAsync(new StorageOptions { DataFolder = dataFolder, ConnectionString = await NewDatabaseAsync() });

    private async Task<string> NewDatabaseAsync(string template)
    {
        string name = $"test{Interlocked.Increment(ref databases)}";
        var builder = new NpgsqlConnectionStringBuilder(cluster!.ConnectionString) { Database = "postgres", Pooling = false };
        await using (var connection = new NpgsqlConnection(builder.ConnectionString))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand($"create database {name} template {template}", connection);
            await command.ExecuteNonQueryAsync();
        }

        builder.Database = name;
        builder.Pooling = true;
        builder.MaxPoolSize = 30;
        return builder.ConnectionString;
    }
}
