using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>A lease that ran out.</summary>
/// <param name="StageRunId">The stage run.</param>
/// <param name="RunId">Its run.</param>
/// <param name="Attempt">The attempt that died.</param>
/// <param name="Failed">Whether it was the last one; else the stage run is ready again.</param>
public sealed record ExpiredLease(long StageRunId, long RunId, int Attempt, bool Failed);

/// <summary>What every node repairs each second; several may do it at once.</summary>
public sealed class Reconciler(NpgsqlDataSource dataSource)
{
    /// <summary>Takes leases that ran out away: ready again, or failed after the last attempt.</summary>
    public async Task<IReadOnlyList<ExpiredLease>> ExpireLeasesAsync(CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        var expired = await transaction.QueryAsync<ExpiredLease>(
            """
            with expired as (
                select id, lease_owner from stage_run where state = 'running' and lease_until < clock_timestamp()
                order by id for no key update skip locked),
            changed as (
                update stage_run s set state = case when s.attempt < s.max_attempts then 'ready' else 'failed' end::stage_state,
                    error = 'died ' || s.attempt || case when s.attempt = 1 then ' time' else ' times' end
                        || ' (lease ran out without a word); last worker ' || coalesce(s.lease_owner, 'unknown'),
                    error_kind = 'died', lease_owner = null, lease_until = null, enqueued_at = null, available_at = clock_timestamp(),
                    finished_at = case when s.attempt < s.max_attempts then null else clock_timestamp() end
                from expired where s.id = expired.id
                returning s.id as stage_run_id, s.run_id, s.attempt, s.state = 'failed' as failed, expired.lease_owner),
            told as (
                insert into event (run_id, stage_run_id, actor, action, detail)
                select run_id, stage_run_id, 'reconciler', case when failed then 'failed' else 'lease expired' end,
                    'attempt ' || attempt || ' of worker ' || coalesce(lease_owner, 'unknown') from changed)
            select stage_run_id, run_id, attempt, failed from changed
            """
        );
        foreach (long runId in expired.Where(lease => lease.Failed).Select(lease => lease.RunId).Distinct().Order())
        {
            await StageLeases.FinishRunAsync(transaction, runId);
        }

        await transaction.CommitAsync();
        return expired;
    }

    /// <summary>
    /// Takes stage runs that are ready and were not enqueued within <paramref name="quiet"/>, and marks them enqueued now, so that
    /// only one node enqueues each.
    /// </summary>
    public async Task<IReadOnlyList<ReadyStage>> TakeForgottenAsync(
        TimeSpan quiet,
        int limit,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginRelaxedAsync(dataSource, cancellationToken);
        var taken = await transaction.QueryAsync<ReadyStage>(
            $"""
            update stage_run t set enqueued_at = clock_timestamp()
            from (
                select id from stage_run s
                where state = 'ready' and available_at <= clock_timestamp()
                    and (enqueued_at is null or enqueued_at < clock_timestamp() - @quiet) and not {StageSql.IsHeld}
                order by priority desc, available_at, id limit @limit for no key update skip locked) forgotten
            where t.id = forgotten.id
            returning t.id, t.queue, t.hangfire_job_id
            """,
            new { quiet, limit }
        );
        await transaction.CommitAsync();
        return taken;
    }

    /// <summary>
    /// Marks stage runs enqueued now; returns those to enqueue: the ready ones that nobody has enqueued since they became ready, or that
    /// waited for a slot.
    /// </summary>
    public async Task<IReadOnlyList<ReadyStage>> TakeAsync(IReadOnlyList<long> stageRunIds, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginRelaxedAsync(dataSource, cancellationToken);
        var taken = await transaction.QueryAsync<ReadyStage>(
            $"""
            update stage_run t set enqueued_at = clock_timestamp()
            from (
                select id from stage_run s
                where id = any(@ids) and state = 'ready' and (enqueued_at is null or waiting_for is not null) and not {StageSql.IsHeld}
                order by id for no key update) ready
            where t.id = ready.id returning t.id, t.queue, t.hangfire_job_id
            """,
            new { ids = stageRunIds.ToArray() }
        );
        await transaction.CommitAsync();
        return taken;
    }

    /// <summary>Remembers the Hangfire jobs that nudge stage runs.</summary>
    public async Task SetHangfireJobsAsync(
        IReadOnlyList<(long StageRunId, string HangfireJobId)> jobs,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginRelaxedAsync(dataSource, cancellationToken);
        await transaction.ExecuteAsync(
            """
            update stage_run s set hangfire_job_id = nudged.job
            from (
                select locked.id, u.job from unnest(@ids, @jobs) u (id, job)
                join stage_run locked on locked.id = u.id order by locked.id for no key update of locked) nudged
            where s.id = nudged.id
            """,
            new { ids = jobs.Select(job => job.StageRunId).ToArray(), jobs = jobs.Select(job => job.HangfireJobId).ToArray() }
        );
        await transaction.CommitAsync();
    }

    /// <summary>Gives runs whose stages are all at their end their end state; returns how many it found.</summary>
    public async Task<int> FinishRunsAsync(CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        var running = await transaction.QueryAsync<long>(
            "select id from run where state = 'running' order by id for no key update skip locked"
        );
        int finished = await transaction.ExecuteAsync(StageSql.FinishRuns, new { runs = running.ToArray() });
        await transaction.CommitAsync();
        return finished;
    }
}
