using System.Runtime.CompilerServices;
using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage;

/// <summary>A transaction and the statements run in it; rolled back unless committed.</summary>
public sealed class StorageTransaction : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;
    private readonly CancellationToken cancellationToken;

    private StorageTransaction(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        this.connection = connection;
        this.transaction = transaction;
        this.cancellationToken = cancellationToken;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    /// <summary>
    /// Begins one whose commit does not wait for the disk: for what is of use only to the next seconds. A crash of the server may lose it,
    /// and never what another transaction wrote after it saw it.
    /// </summary>
    internal static async Task<StorageTransaction> BeginRelaxedAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        StorageTransaction transaction = await BeginAsync(dataSource, cancellationToken);
        try
        {
            await transaction.ExecuteAsync("set local synchronous_commit = off");
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync();
            throw;
        }
    }

    internal static async Task<StorageTransaction> BeginAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        try
        {
            return new StorageTransaction(connection, await connection.BeginTransactionAsync(cancellationToken), cancellationToken);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    internal async Task CommitAsync([CallerMemberName] string caller = "")
    {
        FaultPoint.Reach($"before the commit of {caller}", ConnectionLost);
        await transaction.CommitAsync(cancellationToken);
        FaultPoint.Reach($"after the commit of {caller}", ConnectionLost);
    }

    private static NpgsqlException ConnectionLost(string message) => new(message, new IOException(message));

    internal Task<int> ExecuteAsync(string sql, object? parameters = null) => connection.ExecuteAsync(Command(sql, parameters));

    internal Task<T?> ScalarAsync<T>(string sql, object? parameters = null) => connection.ExecuteScalarAsync<T>(Command(sql, parameters));

    internal async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null) =>
        (await connection.QueryAsync<T>(Command(sql, parameters))).AsList();

    internal Task<T?> SingleAsync<T>(string sql, object? parameters = null) =>
        connection.QuerySingleOrDefaultAsync<T>(Command(sql, parameters));

    /// <summary>Locks the stage runs that <paramref name="condition"/> names, in ascending id (see the remark at RunStore).</summary>
    internal Task LockStagesAsync(string condition, object parameters) =>
        ExecuteAsync($"select 1 from stage_run where {condition} order by id for no key update", parameters);

    internal Task AddEventAsync(long? runId, long? stageRunId, string actor, string action, string? detail) =>
        ExecuteAsync(
            "insert into event (run_id, stage_run_id, actor, action, detail) values (@runId, @stageRunId, @actor, @action, @detail)",
            new
            {
                runId,
                stageRunId,
                actor,
                action,
                detail,
            }
        );

    private CommandDefinition Command(string sql, object? parameters) =>
        new(sql, parameters, transaction, cancellationToken: cancellationToken);
}
