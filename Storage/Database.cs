using System.Reflection;
using Dapper;
using DbUp;
using DbUp.Engine;
using DbUp.Engine.Output;
using ElectraPipeline.Storage.PostgreSql;
using Npgsql;

namespace ElectraPipeline.Storage;

/// <summary>The PostgreSQL database: a pool of connections and the newest schema.</summary>
public sealed class Database : IAsyncDisposable
{
    // Any fixed number: it names the lock under which processes that start together migrate one after the other.
    private const long MigrationLock = 7_303_010_114;

    private Database(NpgsqlDataSource dataSource, string connectionString)
    {
        DataSource = dataSource;
        ConnectionString = connectionString;
    }

    /// <summary>Connections whose search path is the schema "electra".</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>What was given to open it; for libraries that make their own connections.</summary>
    public string ConnectionString { get; }

    /// <summary>Connects and brings the schema up to date; processes that do so at once wait for each other.</summary>
    /// <exception cref="StorageException">
    /// The connection string is malformed, the server cannot be reached, does not let in or is too old, the schema was made by a newer
    /// version of this program, or a migration failed.
    /// </exception>
    public static async Task<Database> OpenAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        NpgsqlConnectionStringBuilder builder = ConnectionFault.Parse(connectionString);
        builder.SearchPath = "electra";
        builder.ApplicationName ??= "electra";
        var dataSource = NpgsqlDataSource.Create(builder);
        try
        {
            // DbUp's connections are its own; unpooled, none of them stays behind idle.
            string unpooled = new NpgsqlConnectionStringBuilder(builder.ConnectionString) { Pooling = false }.ConnectionString;
            await MigrateAsync(dataSource, unpooled, cancellationToken);
            return new Database(dataSource, connectionString);
        }
        catch (Exception e)
        {
            await dataSource.DisposeAsync();
            if (ConnectionFault.Is(e))
            {
                throw ConnectionFault.Describe(e, builder);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => DataSource.DisposeAsync();

    private static async Task MigrateAsync(NpgsqlDataSource dataSource, string connectionString, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        ConnectionFault.RefuseOld(connection);
        await connection.ExecuteAsync("select pg_advisory_lock(@MigrationLock)", new { MigrationLock });
        try
        {
            await connection.ExecuteAsync("create schema if not exists electra");
            var upgrader = DeployChanges
                .To.PostgresqlDatabase(connectionString, "electra")
                .WithScriptsEmbeddedInAssembly(Assembly.GetExecutingAssembly(), name => name.EndsWith(".sql", StringComparison.Ordinal))
                .JournalToPostgresqlTable("electra", "schema_version")
                .WithVariablesDisabled()
                .WithTransactionPerScript()
                .LogTo(new NoLog())
                .Build();
            RefuseNewerSchema(upgrader);
            var result = upgrader.PerformUpgrade();
            if (!result.Successful)
            {
                throw new StorageException(
                    $"migration {result.ErrorScript?.Name} failed: {result.Error.Message}. Nothing of it was applied.",
                    result.Error
                );
            }

            // This source learned the types when it connected, before a migration may have made some.
            await connection.ReloadTypesAsync(cancellationToken);
        }
        finally
        {
            await connection.ExecuteAsync("select pg_advisory_unlock(@MigrationLock)", new { MigrationLock });
        }
    }

    private static void RefuseNewerSchema(UpgradeEngine upgrader)
    {
        var known = upgrader.GetDiscoveredScripts().Select(script => script.Name).ToHashSet();
        var unknown = upgrader.GetExecutedScripts().Where(name => !known.Contains(name)).ToList();
        if (unknown.Count > 0)
        {
            throw new StorageException(
                $"the database was migrated by a newer version of ElectraPipeline ({string.Join(", ", unknown)} is not known to this one, "
                    + $"{typeof(Database).Assembly.GetName().Version?.ToString(3)}). Start the newer version, or give this one "
                    + "another database."
            );
        }
    }

    /// <summary>DbUp's chatter is dropped: a failure carries its own message.</summary>
    private sealed class NoLog : IUpgradeLog
    {
        public void LogTrace(string format, params object[] args) { }

        public void LogDebug(string format, params object[] args) { }

        public void LogInformation(string format, params object[] args) { }

        public void LogWarning(string format, params object[] args) { }

        public void LogError(string format, params object[] args) { }

        public void LogError(Exception ex, string format, params object[] args) { }
    }
}
