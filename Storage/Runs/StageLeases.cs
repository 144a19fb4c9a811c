using Dapper;
using ElectraPipeline.Storage.Artifacts;
using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>
/// The protocol by which stage runs change state (docs/durability.md). Each method is one transaction, conditional on the lease's
/// epoch where it takes a lease: what a stale holder does has no effect, and it is told so.
/// </summary>
public sealed partial class StageLeases(NpgsqlDataSource dataSource, ArtifactStore artifacts)
{
    /// <summary>
    /// Claims a stage run that is ready, and <paramref name="slots"/> with it. The attempt is counted now, so that a stage that kills its
    /// process stops after its last attempt.
    /// </summary>
    public async Task<ClaimOutcome> ClaimAsync(
        long stageRunId,
        string owner,
        TimeSpan ttl,
        IReadOnlyList<ResourceSlot>? slots = null,
        CancellationToken cancellationToken = default
    )
    {
        slots ??= [];
        if (slots.FirstOrDefault(slot => slot.Amount > slot.Capacity) is { } tooMuch)
        {
            string reason = $"{tooMuch.Name} ({tooMuch.Amount} needed, {tooMuch.Capacity} there)";
            await SetWaitingAsync(stageRunId, reason, null, cancellationToken);
            return new ClaimOutcome(null, $"waits for {reason}");
        }

        // A slot may be freed between the look at it and the word that it is waited for, and who frees it then tells nobody. So each
        // side looks again once it has committed its own part, and one of them sees the other's. The rest is left to the relay: a slot
        // that looks free may be held by another claim that has not committed.
        ClaimOutcome outcome;
        ResourceSlot? full;
        int tries = 3;
        do
        {
            (outcome, full) = await TryClaimAsync(stageRunId, owner, ttl, slots, cancellationToken);
        } while (full is not null && await IsFreeByNowAsync(stageRunId, full, cancellationToken) && --tries > 0);

        return outcome;
    }

    /// <summary>What a worker needs to decide about a nudge; null: there is no such stage run.</summary>
    public async Task<NudgedStage?> FindNudgedAsync(long stageRunId, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<NudgedStage>(
            new CommandDefinition(
                $"""
                select n.id, n.stage, n.state, n.memory_gb, (
                    select s.id from stage_run s
                    where s.queue = n.queue and s.state = 'ready' and s.priority > n.priority and s.available_at <= clock_timestamp()
                        and s.waiting_for is null and not {StageSql.IsHeld}
                    order by s.priority desc, s.id limit 1) as more_urgent
                from stage_run n where n.id = @stageRunId
                """,
                new { stageRunId },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Says what a ready stage run waits for; <paramref name="error"/>, if any, is what a user can mend meanwhile.</summary>
    public async Task SetWaitingAsync(long stageRunId, string waitingFor, string? error, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            new CommandDefinition(
                """
                update stage_run set waiting_for = @waitingFor, error = coalesce(@error, error),
                    error_kind = case when @error is null then error_kind else 'disk' end
                where id = @stageRunId and state = 'ready'
                """,
                new
                {
                    stageRunId,
                    waitingFor,
                    error,
                },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Lets the relay enqueue a ready stage run again, for another worker.</summary>
    public async Task ReturnNudgeAsync(long stageRunId, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            new CommandDefinition(
                "update stage_run set enqueued_at = null where id = @stageRunId and state = 'ready'",
                new { stageRunId },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Renews lease and slots and stores the progress.</summary>
    /// <remarks>Blocks, since it is called from a thread of its own that must not wait for the thread pool.</remarks>
    /// <param name="lease">The lease.</param>
    /// <param name="ttl">How long it shall hold from now.</param>
    /// <param name="progress">Newest progress; null keeps what is stored.</param>
    /// <param name="patience">After how long the database counts as unreachable, in whole seconds.</param>
    public LeaseState Heartbeat(StageLease lease, TimeSpan ttl, StageProgress? progress, TimeSpan patience)
    {
        using var connection = dataSource.OpenConnection();
        bool? paused = connection.ExecuteScalar<bool?>(
            $"""
            with slot as (
                update resource_slot set until = clock_timestamp() + @ttl where holder = @StageRunId and epoch = @Epoch)
            update stage_run s set lease_until = clock_timestamp() + @ttl, progress_done = coalesce(@done, progress_done),
                progress_total = coalesce(@total, progress_total), progress_unit = coalesce(@unit, progress_unit)
            where id = @StageRunId and lease_epoch = @Epoch and state = 'running'
            returning exists (select 1 from pause p where p.interrupts and {StageSql.CoversClaim})
            """,
            new
            {
                lease.StageRunId,
                lease.Epoch,
                owner = lease.Owner,
                ttl,
                done = progress?.Done,
                total = progress?.Total,
                unit = progress?.Unit,
            },
            commandTimeout: Math.Max(1, (int)patience.TotalSeconds)
        );
        return paused switch
        {
            null => LeaseState.Lost,
            true => LeaseState.Paused,
            false => LeaseState.Held,
        };
    }

    /// <summary>Outputs of the parents, in order of display: "tokenize" shards come in shard order.</summary>
    public async Task<IReadOnlyList<StageInput>> InputsAsync(long stageRunId, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return (
            await connection.QueryAsync<StageInput>(
                new CommandDefinition(
                    """
                    select p.stage, p.shard, p.output_digest as digest, p.result::text as result
                    from stage_dependency d join stage_run p on p.id = d.parent where d.child = @stageRunId order by p.ordinal
                    """,
                    new { stageRunId },
                    cancellationToken: cancellationToken
                )
            )
        ).AsList();
    }

    /// <summary>The output published under a fingerprint, by whichever run; null if there is none.</summary>
    public async Task<CachedOutput?> FindCachedAsync(string stage, string fingerprint, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<CachedOutput>(
            new CommandDefinition(
                """
                select c.output_digest as digest, a.kind, a.bytes, a.files, c.result::text as result, c.stage_run_id,
                    (select s.run_id from stage_run s where s.id = c.stage_run_id) as run_id
                from stage_cache c join artifact a on a.digest = c.output_digest where c.stage = @stage and c.fingerprint = @fingerprint
                """,
                new { stage, fingerprint },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Stores the fingerprint of an attempt, for those who look while it runs.</summary>
    public async Task SetFingerprintAsync(StageLease lease, string fingerprint, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginRelaxedAsync(dataSource, cancellationToken);
        await transaction.ExecuteAsync(
            "update stage_run set fingerprint = @fingerprint where id = @StageRunId and lease_epoch = @Epoch and state = 'running'",
            new
            {
                fingerprint,
                lease.StageRunId,
                lease.Epoch,
            }
        );
        await transaction.CommitAsync();
    }

    private async Task<(ClaimOutcome Outcome, ResourceSlot? Full)> TryClaimAsync(
        long stageRunId,
        string owner,
        TimeSpan ttl,
        IReadOnlyList<ResourceSlot> slots,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        var lease = await transaction.SingleAsync<StageLease>(
            $"""
            update stage_run s set state = 'running', attempt = attempt + 1, lease_epoch = lease_epoch + 1, lease_owner = @owner,
                lease_until = clock_timestamp() + @ttl, started_at = clock_timestamp(), finished_at = null, waiting_for = null,
                progress_done = null, progress_total = null, progress_unit = null,
                error = case when error_kind = 'disk' then null else error end, error_kind = nullif(error_kind, 'disk')
            where id = @stageRunId and state = 'ready' and available_at <= clock_timestamp()
                and not exists (select 1 from pause p where {StageSql.CoversClaim})
            returning id as stage_run_id, run_id, stage, shard, lease_epoch as epoch, attempt, max_attempts, lease_owner as owner
            """,
            new
            {
                stageRunId,
                owner,
                ttl,
            }
        );
        if (lease is null)
        {
            return (await RefusalOfAsync(transaction, stageRunId, owner), null);
        }

        ResourceSlot? full = await FirstFullAsync(transaction, slots, lease, ttl);
        if (full is not null)
        {
            return (new ClaimOutcome(null, $"waits for {full.Name}"), full);
        }

        await transaction.AddEventAsync(
            lease.RunId,
            stageRunId,
            "worker:" + owner,
            "claimed",
            $"attempt {lease.Attempt} of {lease.MaxAttempts}"
        );
        await transaction.CommitAsync();
        return (new ClaimOutcome(lease, "claimed"), null);
    }

    private async Task<bool> IsFreeByNowAsync(long stageRunId, ResourceSlot slot, CancellationToken cancellationToken)
    {
        await SetWaitingAsync(stageRunId, slot.Name, null, cancellationToken);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await ResourceSlots.IsFreeAsync(connection, slot, cancellationToken);
    }

    private static async Task<ClaimOutcome> RefusalOfAsync(StorageTransaction transaction, long stageRunId, string owner)
    {
        var refusal = await transaction.SingleAsync<Refusal>(
            $"""
            select s.state, s.available_at > clock_timestamp() as is_early,
                exists (select 1 from pause p where {StageSql.CoversClaim} and p.scope in ('worker', 'host')) as is_worker_paused,
                {StageSql.IsHeld} as is_held
            from stage_run s where s.id = @stageRunId
            """,
            new { stageRunId, owner }
        );
        return refusal switch
        {
            null => new ClaimOutcome(null, "no such stage run"),
            { State: not StageState.Ready } => new ClaimOutcome(null, refusal.State.ToString().ToLowerInvariant()),
            { IsEarly: true } => new ClaimOutcome(null, "not due yet"),
            { IsHeld: true } => new ClaimOutcome(null, "paused"),
            { IsWorkerPaused: true } => new ClaimOutcome(null, "this worker is paused", IsWorkerPaused: true),
            _ => new ClaimOutcome(null, "the pause was lifted this moment"),
        };
    }

    private static async Task<ResourceSlot?> FirstFullAsync(
        StorageTransaction transaction,
        IReadOnlyList<ResourceSlot> slots,
        StageLease lease,
        TimeSpan ttl
    )
    {
        foreach (ResourceSlot slot in slots)
        {
            if (!await ResourceSlots.TakeAsync(transaction, slot, lease, ttl))
            {
                return slot;
            }
        }

        return null;
    }

    private sealed record Refusal(StageState State, bool IsEarly, bool IsWorkerPaused, bool IsHeld);
}
