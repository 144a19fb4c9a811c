using Dapper;
using ElectraPipeline.Storage.Artifacts;

namespace ElectraPipeline.Storage.Runs;

/// <content>How an attempt ends: published, failed, given back.</content>
public sealed partial class StageLeases
{
    /// <summary>
    /// Publishes a stage run's output: its state, the artifact, the cache, what <paramref name="publish"/> writes, its children and its
    /// run, all in one transaction. Null: the lease was lost, and nothing was written.
    /// </summary>
    /// <param name="lease">The lease.</param>
    /// <param name="output">What is published; reused if it says so.</param>
    /// <param name="publish">Writes more in the same transaction; what it returns replaces the result, unless null.</param>
    /// <param name="cancellationToken">Ends the attempt; whether it was committed is then unknown, and a repetition is safe.</param>
    public async Task<StageEnd?> CompleteAsync(
        StageLease lease,
        StageOutput output,
        Func<StorageTransaction, Task<string?>>? publish = null,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        var held = await transaction.SingleAsync<HeldState>(
            "select state, lease_epoch as epoch from stage_run where id = @StageRunId for no key update",
            new { lease.StageRunId }
        );
        if (held is null || held.Epoch != lease.Epoch)
        {
            return null;
        }

        if (held.State is StageState.Succeeded or StageState.Reused)
        {
            // Committed before, but the answer was lost. The children were not handed to the caller; the relay enqueues them.
            return new StageEnd([], await RunStateAsync(transaction, lease.RunId));
        }

        if (held.State != StageState.Running)
        {
            return null;
        }

        await ArtifactRows.AddAsync(transaction, artifacts, output.Artifact);
        string? result = publish is null ? output.Result : await publish(transaction) ?? output.Result;
        await StoreOutputAsync(transaction, lease, output, result);
        var ready = await transaction.QueryAsync<ReadyStage>(StageSql.ReleaseChildren, new { lease.StageRunId });
        string[] freed = await ResourceSlots.FreeAsync(transaction, lease);
        await transaction.AddEventAsync(
            lease.RunId,
            lease.StageRunId,
            "worker:" + lease.Owner,
            output.ReusedFrom is null ? "succeeded" : "reused",
            output.Artifact.Digest
        );
        var state = await FinishRunAsync(transaction, lease.RunId);
        await transaction.CommitAsync();
        return new StageEnd([.. ready, .. await WaitingForAsync(freed, cancellationToken)], state);
    }

    /// <summary>
    /// Ends an attempt that failed: ready again after <paramref name="backoff"/> if it may be tried again and attempts are left, else
    /// failed for good. Null: the lease was lost.
    /// </summary>
    public async Task<StageEnd?> FailAsync(
        StageLease lease,
        string error,
        bool isPermanent,
        TimeSpan backoff,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        bool? final = await transaction.ScalarAsync<bool?>(
            """
            update stage_run s set state = case when f.final then 'failed' else 'ready' end::stage_state, error = @error,
                error_kind = case when @isPermanent then 'permanent' else 'retryable' end, lease_owner = null, lease_until = null,
                enqueued_at = null, finished_at = case when f.final then clock_timestamp() end,
                available_at = clock_timestamp() + case when f.final then interval '0' else @backoff end
            from (select id, @isPermanent or attempt >= max_attempts as final from stage_run where id = @StageRunId) f
            where s.id = f.id and s.lease_epoch = @Epoch and s.state = 'running'
            returning f.final
            """,
            new
            {
                lease.StageRunId,
                lease.Epoch,
                error,
                isPermanent,
                backoff,
            }
        );
        if (final is null)
        {
            return null;
        }

        string[] freed = await ResourceSlots.FreeAsync(transaction, lease);
        await transaction.AddEventAsync(
            lease.RunId,
            lease.StageRunId,
            "worker:" + lease.Owner,
            final.Value ? "failed" : "will retry",
            FirstLine(error)
        );
        var state = await FinishRunAsync(transaction, lease.RunId);
        await transaction.CommitAsync();
        return new StageEnd(await WaitingForAsync(freed, cancellationToken), state);
    }

    /// <summary>
    /// Gives a lease back because the worker shuts down or the work is paused: ready at once, and the attempt is not counted. False: the
    /// lease was lost.
    /// </summary>
    public Task<bool> ReleaseAsync(StageLease lease, string reason, CancellationToken cancellationToken = default) =>
        GiveBackAsync(
            lease,
            "interrupted",
            reason,
            new
            {
                lease.StageRunId,
                lease.Epoch,
                delay = TimeSpan.Zero,
                error = (string?)null,
                waitingFor = (string?)null,
            },
            cancellationToken
        );

    /// <summary>
    /// Gives a lease back because the disk takes no files: ready again after <paramref name="delay"/>, and the attempt is not counted.
    /// False: the lease was lost.
    /// </summary>
    public Task<bool> HoldAsync(
        StageLease lease,
        string waitingFor,
        string error,
        TimeSpan delay,
        CancellationToken cancellationToken = default
    ) =>
        GiveBackAsync(
            lease,
            "held",
            FirstLine(error),
            new
            {
                lease.StageRunId,
                lease.Epoch,
                delay,
                error,
                waitingFor,
            },
            cancellationToken
        );

    /// <summary>Frees the slot of a lease that was lost, once its work has stopped.</summary>
    public async Task<IReadOnlyList<ReadyStage>> FreeSlotAsync(StageLease lease, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        string[] freed = await ResourceSlots.FreeAsync(transaction, lease);
        await transaction.CommitAsync();
        return await WaitingForAsync(freed, cancellationToken);
    }

    /// <summary>Stage runs that wait for what was freed. Looked for after the commit: <see cref="ClaimAsync"/> says why.</summary>
    private async Task<IReadOnlyList<ReadyStage>> WaitingForAsync(string[] freed, CancellationToken cancellationToken)
    {
        if (freed.Length == 0)
        {
            return [];
        }

        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return (
            await connection.QueryAsync<ReadyStage>(
                new CommandDefinition(
                    """
                    select id, queue, hangfire_job_id from stage_run
                    where state = 'ready' and waiting_for = any(@freed) order by priority desc, id
                    """,
                    new { freed },
                    cancellationToken: cancellationToken
                )
            )
        ).AsList();
    }

    private async Task<bool> GiveBackAsync(
        StageLease lease,
        string action,
        string reason,
        object parameters,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        int changed = await transaction.ExecuteAsync(
            """
            update stage_run set state = 'ready', attempt = attempt - 1, lease_owner = null, lease_until = null, enqueued_at = null,
                available_at = clock_timestamp() + @delay, waiting_for = @waitingFor, error = coalesce(@error, error),
                error_kind = case when @error is null then error_kind else 'disk' end
            where id = @StageRunId and lease_epoch = @Epoch and state = 'running'
            """,
            parameters
        );
        if (changed > 0)
        {
            await ResourceSlots.FreeAsync(transaction, lease);
            await transaction.AddEventAsync(lease.RunId, lease.StageRunId, "worker:" + lease.Owner, action, reason);
            await transaction.CommitAsync();
        }

        return changed > 0;
    }

    internal static async Task<RunState> FinishRunAsync(StorageTransaction transaction, long runId)
    {
        // The run is locked in a statement of its own: the next one then sees what the transaction that held the lock before wrote.
        await transaction.ExecuteAsync("select 1 from run where id = @runId for no key update", new { runId });
        await transaction.ExecuteAsync(StageSql.FinishRuns, new { runs = new[] { runId } });
        return await RunStateAsync(transaction, runId);
    }

    private static async Task<RunState> RunStateAsync(StorageTransaction transaction, long runId) =>
        Enum.Parse<RunState>(
            (await transaction.ScalarAsync<string>("select state::text from run where id = @runId", new { runId }))!,
            ignoreCase: true
        );

    private static Task StoreOutputAsync(StorageTransaction transaction, StageLease lease, StageOutput output, string? result) =>
        transaction.ExecuteAsync(
            """
            update stage_run set state = case when @ReusedFrom::bigint is null then 'succeeded' else 'reused' end::stage_state,
                fingerprint = @Fingerprint, output_digest = @Digest, result = @result::jsonb, reused_from = @ReusedFrom, error = null,
                error_kind = null, lease_owner = null, lease_until = null, finished_at = clock_timestamp()
            where id = @StageRunId;
            insert into stage_cache (stage, fingerprint, output_digest, result, stage_run_id)
            values (@Stage, @Fingerprint, @Digest, @result::jsonb, @StageRunId)
            on conflict (stage, fingerprint) do update set output_digest = excluded.output_digest, result = excluded.result,
                stage_run_id = excluded.stage_run_id, created_at = clock_timestamp()
            where @ReusedFrom::bigint is null;
            delete from checkpoint where stage_run_id = @StageRunId;
            """,
            new
            {
                lease.StageRunId,
                lease.Stage,
                output.ReusedFrom,
                output.Fingerprint,
                output.Artifact.Digest,
                result,
            }
        );

    private static string FirstLine(string text)
    {
        int end = text.IndexOf('\n');
        return end < 0 ? text : text[..end];
    }

    private sealed record HeldState(StageState State, long Epoch);
}
