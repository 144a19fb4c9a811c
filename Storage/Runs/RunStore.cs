using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>Creates, cancels and retries runs. Each method is one transaction.</summary>
/// <remarks>
/// All transactions of this program lock stage runs in ascending id and their run after them, so they cannot deadlock: a parent's id
/// is smaller than its children's.
/// </remarks>
public sealed class RunStore(NpgsqlDataSource dataSource)
{
    /// <summary>Creates a run and its graph; stages without parents are ready.</summary>
    /// <exception cref="ArgumentException">A stage names a parent that does not come before it, or there are no stages.</exception>
    public async Task<CreatedRun> CreateAsync(NewRun run, CancellationToken cancellationToken = default)
    {
        CheckGraph(run.Stages);
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        long runId = await transaction.ScalarAsync<long>(
            """
            insert into run (name, config, config_digest, trigger, code_version)
            values (@Name, @Config::jsonb, @ConfigDigest, @Trigger, @CodeVersion) returning id
            """,
            run
        );
        long[] ids = await InsertStagesAsync(transaction, runId, run);
        await InsertDependenciesAsync(transaction, ids, run.Stages);
        await transaction.AddEventAsync(runId, null, run.Actor, "run created", run.Trigger);
        await transaction.CommitAsync();
        var ready = run.Stages.Select((stage, i) => (stage, i)).Where(pair => pair.stage.Parents.Count == 0);
        return new CreatedRun(runId, [.. ready.Select(pair => new ReadyStage(ids[pair.i], pair.stage.Queue))]);
    }

    /// <summary>Resolved config and trigger of a run; null if there is none.</summary>
    public async Task<StoredRun?> FindAsync(long runId, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<StoredRun>(
            new CommandDefinition(
                "select id, name, config::text as config, trigger, code_version from run where id = @runId",
                new { runId },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>
    /// Cancels what has not finished. Work under way loses its lease and stops at its next heartbeat. False: the run was at its end.
    /// </summary>
    /// <exception cref="StorageException">There is no such run.</exception>
    public async Task<bool> CancelAsync(long runId, string actor, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await transaction.LockStagesAsync("run_id = @runId", new { runId });
        string state =
            await transaction.ScalarAsync<string?>("select state::text from run where id = @runId for no key update", new { runId })
            ?? throw new StorageException($"there is no run {runId}");
        if (state != "running")
        {
            return false;
        }

        // The epoch moves on, so that whoever holds the lease can publish nothing more.
        await transaction.ExecuteAsync(
            """
            update stage_run set state = 'cancelled', lease_epoch = lease_epoch + 1, lease_owner = null, lease_until = null,
                waiting_for = null, finished_at = clock_timestamp()
            where run_id = @runId and state in ('blocked', 'ready', 'running');
            update run set state = 'cancelled', finished_at = clock_timestamp() where id = @runId;
            delete from pause where scope = 'run' and subject = @runId::text;
            """,
            new { runId }
        );
        await transaction.AddEventAsync(runId, null, actor, "cancelled", null);
        await transaction.CommitAsync();
        return true;
    }

    /// <summary>
    /// Lets a failed or cancelled stage run again, and everything that waits for it; stages that succeeded keep their outputs.
    /// </summary>
    /// <returns>Stages that are ready now.</returns>
    /// <exception cref="StorageException">
    /// No such stage run, it did not fail, or a parent of it failed and must be retried first.
    /// </exception>
    public async Task<IReadOnlyList<ReadyStage>> RetryStageAsync(
        long stageRunId,
        string actor,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        long runId =
            await transaction.ScalarAsync<long?>("select run_id from stage_run where id = @stageRunId", new { stageRunId })
            ?? throw new StorageException($"there is no stage run {stageRunId}");
        await transaction.LockStagesAsync("run_id = @runId", new { runId });
        string state = (
            await transaction.ScalarAsync<string?>("select state::text from stage_run where id = @stageRunId", new { stageRunId })
        )!;
        if (state is not ("failed" or "cancelled"))
        {
            throw new StorageException($"stage run {stageRunId} is {state}; only a failed or cancelled one can be retried");
        }

        string? parent = await transaction.ScalarAsync<string?>(
            """
            select p.stage || ' (stage run ' || p.id || ', ' || p.state || ')' from stage_dependency d join stage_run p on p.id = d.parent
            where d.child = @stageRunId and p.state in ('failed', 'cancelled') order by p.id limit 1
            """,
            new { stageRunId }
        );
        if (parent is not null)
        {
            throw new StorageException($"stage run {stageRunId} waits for {parent}: retry that one, or the whole run");
        }

        const string Subtree = """
            with recursive subtree(id) as (
                select @stageRunId union select d.child from subtree t join stage_dependency d on d.parent = t.id)
            select id from subtree
            """;
        return await ResetAsync(transaction, runId, Subtree, new { runId, stageRunId }, stageRunId, actor);
    }

    /// <summary>Lets every failed or cancelled stage of a run run again.</summary>
    /// <returns>Stages that are ready now.</returns>
    /// <exception cref="StorageException">No such run, or nothing in it failed or was cancelled.</exception>
    public async Task<IReadOnlyList<ReadyStage>> RetryRunAsync(long runId, string actor, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await transaction.LockStagesAsync("run_id = @runId", new { runId });
        if (
            !await transaction.ScalarAsync<bool>(
                "select exists (select 1 from stage_run where run_id = @runId and state in ('failed', 'cancelled'))",
                new { runId }
            )
        )
        {
            throw new StorageException($"run {runId} has no failed or cancelled stage to retry");
        }

        return await ResetAsync(transaction, runId, "select id from stage_run where run_id = @runId", new { runId }, null, actor);
    }

    private static async Task<IReadOnlyList<ReadyStage>> ResetAsync(
        StorageTransaction transaction,
        long runId,
        string which,
        object parameters,
        long? stageRunId,
        string actor
    )
    {
        // First the states, then the counts: a count must see the states of all parents.
        await transaction.ExecuteAsync(
            $"""
            update stage_run set state = 'blocked', attempt = 0, max_attempts = attempts_allowed, lease_epoch = lease_epoch + 1,
                error = null, error_kind = null, finished_at = null, enqueued_at = null, hangfire_job_id = null,
                waiting_for = null, available_at = clock_timestamp(),
                progress_done = null, progress_total = null, progress_unit = null
            where id in ({which}) and state in ('failed', 'cancelled', 'blocked');
            update stage_run c set pending_dependencies = (
                select count(*) from stage_dependency d join stage_run p on p.id = d.parent
                where d.child = c.id and p.state not in ('succeeded', 'reused'))
            where c.run_id = @runId and c.state = 'blocked';
            update run set state = 'running', finished_at = null where id = @runId;
            delete from pause where scope = 'run' and subject = @runId::text;
            """,
            parameters
        );
        var ready = await transaction.QueryAsync<ReadyStage>(
            """
            update stage_run set state = 'ready' where run_id = @runId and state = 'blocked' and pending_dependencies = 0
            returning id, queue, hangfire_job_id
            """,
            new { runId }
        );
        await transaction.AddEventAsync(runId, stageRunId, actor, "retry", null);
        await transaction.CommitAsync();
        return ready;
    }

    private static void CheckGraph(IReadOnlyList<NewStage> stages)
    {
        if (stages.Count == 0)
        {
            throw new ArgumentException("a run needs at least one stage", nameof(stages));
        }

        for (int i = 0; i < stages.Count; i++)
        {
            if (stages[i].Parents.Any(parent => parent < 0 || parent >= i))
            {
                throw new ArgumentException($"stage {i} ({stages[i].Stage}) has a parent that does not come before it", nameof(stages));
            }
        }
    }

    private static async Task<long[]> InsertStagesAsync(StorageTransaction transaction, long runId, NewRun run)
    {
        IReadOnlyList<NewStage> stages = run.Stages;
        // An identity column numbers the rows of one insert in the order of its select; the map by ordinal does not rely on it.
        var rows = await transaction.QueryAsync<(long Id, int Ordinal)>(
            """
            insert into stage_run (run_id, stage, shard, ordinal, queue, priority, memory_gb, max_attempts, attempts_allowed,
                pending_dependencies, state)
            select @runId, u.stage, u.shard, u.ordinal, u.queue, @priority, u.memory_gb, u.max_attempts, u.max_attempts, u.pending,
                case when u.pending = 0 then 'ready' else 'blocked' end::stage_state
            from unnest(@stage, @shard, @ordinal, @queue, @memory_gb, @max_attempts, @pending)
                as u (stage, shard, ordinal, queue, memory_gb, max_attempts, pending)
            order by u.ordinal
            returning id, ordinal
            """,
            new
            {
                runId,
                priority = run.Priority,
                stage = stages.Select(stage => stage.Stage).ToArray(),
                shard = stages.Select(stage => stage.Shard).ToArray(),
                ordinal = Enumerable.Range(0, stages.Count).ToArray(),
                queue = stages.Select(stage => stage.Queue).ToArray(),
                memory_gb = stages.Select(stage => stage.MemoryGb).ToArray(),
                max_attempts = stages.Select(stage => stage.MaxAttempts).ToArray(),
                pending = stages.Select(stage => stage.Parents.Count).ToArray(),
            }
        );
        long[] ids = new long[stages.Count];
        foreach (var (id, ordinal) in rows)
        {
            ids[ordinal] = id;
        }

        return ids;
    }

    private static Task InsertDependenciesAsync(StorageTransaction transaction, long[] ids, IReadOnlyList<NewStage> stages)
    {
        var edges = stages.SelectMany((stage, child) => stage.Parents.Select(parent => (Parent: ids[parent], Child: ids[child]))).ToList();
        return transaction.ExecuteAsync(
            "insert into stage_dependency (parent, child) select * from unnest(@parents, @children)",
            new { parents = edges.Select(edge => edge.Parent).ToArray(), children = edges.Select(edge => edge.Child).ToArray() }
        );
    }
}

/// <summary>What a worker needs of a run.</summary>
/// <param name="Id">The run.</param>
/// <param name="Name">Name of the dataset and model it makes.</param>
/// <param name="Config">Resolved config, JSON.</param>
/// <param name="Trigger">"user", "demo" or "schedule:NAME".</param>
/// <param name="CodeVersion">Program that created it.</param>
public sealed record StoredRun(long Id, string Name, string Config, string Trigger, string CodeVersion);
