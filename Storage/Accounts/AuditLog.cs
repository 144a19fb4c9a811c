using Dapper;
using ElectraPipeline.Storage.ReadModels;
using Npgsql;

namespace ElectraPipeline.Storage.Accounts;

/// <summary>Who did what and when: the deeds of people among the events, for ever. Stores record theirs with what they change.</summary>
public sealed class AuditLog(NpgsqlDataSource dataSource)
{
    /// <summary>Records what changes no store: a login, a command of Hangfire's pages, a backup.</summary>
    /// <param name="actor">"user:NAME".</param>
    /// <param name="action">What was done.</param>
    /// <param name="detail">More for people; never a secret.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task RecordAsync(string actor, string action, string? detail, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await transaction.AddEventAsync(null, null, actor, action, detail);
        await transaction.CommitAsync();
    }

    /// <summary>Deeds of people, the newest first.</summary>
    /// <param name="before">Only those with a smaller id; null: from the newest on.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<EventRow>> ReadAsync(long? before, int limit, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<EventRow>(new CommandDefinition(
            """
            select e.id, e.run_id, e.stage_run_id,
                case when s.shard = '' then s.stage else s.stage || '[' || s.shard || ']' end as stage,
                e.actor, e.action, e.detail, e.recorded_at
            from event e left join stage_run s on s.id = e.stage_run_id
            where e.actor like 'user:%' and (@before::bigint is null or e.id < @before)
            order by e.id desc limit @limit
            """,
            new { before, limit },
            cancellationToken: cancellationToken))).AsList();
    }
}
