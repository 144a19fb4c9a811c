using Npgsql;

namespace ElectraPipeline.Storage.PostgreSql;

/// <summary>
/// A PostgreSQL of our own in a folder, reached by a socket only. It outlives a crash of this process and is used again at the next
/// start; the last of the processes that use it stops it.
/// </summary>
public sealed class PrivateCluster : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(150);
    private readonly ClusterFolder folder;
    private readonly IReadOnlyDictionary<string, string> settings;
    private readonly CancellationTokenSource watching = new();
    private FileStream? share;
    private Task watch = Task.CompletedTask;

    private PrivateCluster(ClusterFolder folder, IReadOnlyDictionary<string, string> settings)
    {
        this.folder = folder;
        this.settings = settings;
        ConnectionString = new NpgsqlConnectionStringBuilder
        {
            Host = folder.SocketFolder,
            Username = "electra",
            Database = "electra",
            MaxPoolSize = 50,
        }.ConnectionString;
    }

    /// <summary>Connects to the database "electra" of the cluster.</summary>
    public string ConnectionString { get; }

    /// <summary>Id of the server's first process; null while none runs.</summary>
    public int? ServerProcess => folder.ServerProcess();

    /// <summary>What the server writes.</summary>
    public string LogFile => folder.LogFile;

    /// <summary>
    /// Starts the cluster in <paramref name="folder"/>, or joins the one that runs there; makes it first if there is none.
    /// </summary>
    /// <param name="folder">Its folder, made if missing.</param>
    /// <param name="settings">Lines of postgresql.conf to change; they take effect when the server starts.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StorageException">PostgreSQL is not installed, of another version, or does not start.</exception>
    public static async Task<PrivateCluster> StartAsync(
        string folder,
        IReadOnlyDictionary<string, string>? settings = null,
        CancellationToken cancellationToken = default
    )
    {
        if (OperatingSystem.IsWindows())
        {
            throw new StorageException(
                "a private PostgreSQL is not supported on Windows. Start the database of docker-compose.yml (docker compose up -d) and set "
                    + "ELECTRA_DATABASE to its connection string."
            );
        }

        var cluster = new PrivateCluster(ClusterFolder.Open(folder), settings ?? new Dictionary<string, string>());
        try
        {
            await cluster.StartUnderLockAsync(cancellationToken);
            cluster.watch = Task.Run(cluster.WatchAsync, CancellationToken.None);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Leaves the cluster; the last one out stops it.</summary>
    public async ValueTask DisposeAsync()
    {
        await watching.CancelAsync();
        await watch;
        watching.Dispose();
        if (share is null)
        {
            return;
        }

        await using var start = await FileLock.AcquireAsync(folder.StartLock, StartPatience, CancellationToken.None);
        await share.DisposeAsync();
        share = null;
        if (FileLock.TryAcquire(folder.UsersLock) is { } alone)
        {
            await using (alone)
            {
                if (folder.ServerProcess() is not null)
                {
                    await folder.StopServerAsync("fast", CancellationToken.None);
                }
            }
        }
    }

    private async Task StartUnderLockAsync(CancellationToken cancellationToken)
    {
        await using var start = await FileLock.AcquireAsync(folder.StartLock, StartPatience, cancellationToken);
        share ??=
            FileLock.TryShare(folder.UsersLock)
            ?? throw new StorageException($"{folder.UsersLock} is held by a process that is no part of this program");
        if (folder.ServerProcess() is null)
        {
            await folder.InitializeAsync(cancellationToken);
            await folder.ConfigureAsync(settings, cancellationToken);
            await StartAfterCrashAsync(cancellationToken);
        }

        await MakeDatabaseAsync(cancellationToken);
    }

    // When the first process was killed, its children hold the shared memory for a moment and a new server refuses to start.
    private async Task StartAfterCrashAsync(CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await folder.StartServerAsync(cancellationToken);
                return;
            }
            catch (StorageException e) when (attempt < 20 && e.Message.Contains("shared memory", StringComparison.Ordinal))
            {
                await Task.Delay(500, cancellationToken);
            }
        }
    }

    private async Task MakeDatabaseAsync(CancellationToken cancellationToken)
    {
        // The maintenance database is not pooled: no idle session of ours shall stand in the way of a stop.
        var builder = new NpgsqlConnectionStringBuilder(ConnectionString) { Database = "postgres", Pooling = false };
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        await OpenWhenReadyAsync(connection, cancellationToken);
        await using var command = new NpgsqlCommand("select 1 from pg_database where datname = 'electra'", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is null)
        {
            command.CommandText = "create database electra";
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static async Task OpenWhenReadyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await connection.OpenAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException e) when (attempt < 300 && e.IsTransient)
            {
                // A server that another process started may still replay its log.
                await Task.Delay(100, cancellationToken);
            }
        }
    }

    /// <summary>Starts the server again when it has died; whoever notices first does it.</summary>
    private async Task WatchAsync()
    {
        while (!watching.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(1_000, watching.Token);
                if (folder.ServerProcess() is null)
                {
                    await StartUnderLockAsync(watching.Token);
                }
            }
            catch (Exception e) when (e is StorageException or NpgsqlException or IOException)
            {
                // Those who need the database see its absence themselves; the next round tries again.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
