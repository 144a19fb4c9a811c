using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.ReadModels;

/// <summary>
/// What the dashboard and the command line show. Reads only; each call sees one consistent moment unless said. Times are UTC.
/// </summary>
public sealed partial class Queries(NpgsqlDataSource dataSource)
{
    private const string RunColumns = """
        r.id, r.name, r.trigger, r.state, r.code_version, r.created_at, r.finished_at,
        count(s.id)::int as stages,
        (count(*) filter (where s.state in ('succeeded', 'reused')))::int as stages_done,
        (count(*) filter (where s.state = 'running'))::int as stages_running,
        (count(*) filter (where s.state = 'failed'))::int as stages_failed,
        (array_agg(s.error order by s.ordinal) filter (where s.state = 'failed'))[1] as error,
        exists (select 1 from pause where scope = 'run' and subject = r.id::text) as is_paused
        """;

    private const string StageColumns = """
        s.id, s.run_id, s.stage, s.shard, s.ordinal, s.queue, s.state, s.pending_dependencies, s.attempt, s.max_attempts,
        s.lease_epoch, s.lease_owner, s.lease_until, s.available_at, s.waiting_for, s.hangfire_job_id, s.fingerprint,
        s.output_digest, s.result, (select o.run_id from stage_run o where o.id = s.reused_from) as reused_from_run,
        s.error, s.error_kind, s.progress_done, s.progress_total, s.progress_unit, s.started_at, s.finished_at, s.priority,
        (select case p.scope when 'run' then 'the run' else 'the queue ' || p.subject end || ' is paused by ' || p.actor from pause p
            where s.state = 'ready' and (p.scope, p.subject) in (('run', s.run_id::text), ('queue', s.queue))
            order by p.scope desc limit 1) as hold
        """;

    private const string SelectEvents = """
        select e.id, e.run_id, e.stage_run_id,
            case when s.shard = '' then s.stage else s.stage || '[' || s.shard || ']' end as stage,
            e.actor, e.action, e.detail, e.recorded_at
        from event e left join stage_run s on s.id = e.stage_run_id
        """;

    /// <summary>Runs, newest first.</summary>
    public Task<IReadOnlyList<RunSummary>> RunsAsync(RunFilter filter, CancellationToken cancellationToken = default) =>
        ListAsync<RunSummary>(
            $"""
            select {RunColumns} from run r left join stage_run s on s.run_id = r.id
            where r.id in (
                select id from run
                where (@state::text is null or state = @state::run_state) and (@name::text is null or name = @name)
                  and (@before::bigint is null or id < @before)
                order by id desc limit @limit)
            group by r.id order by r.id desc
            """,
            new
            {
                state = filter.State?.ToString().ToLowerInvariant(),
                name = filter.Name,
                before = filter.Before,
                limit = filter.Limit,
            },
            cancellationToken
        );

    /// <summary>A run with its stages and their dependencies; null if there is none. Three reads, not one moment.</summary>
    public async Task<RunDetail?> RunAsync(long runId, CancellationToken cancellationToken = default)
    {
        string sql = $"""
            select {RunColumns} from run r left join stage_run s on s.run_id = r.id where r.id = @runId group by r.id;
            select config::text as config, config_digest from run where id = @runId;
            select {StageColumns} from stage_run s where s.run_id = @runId order by s.ordinal, s.id;
            select d.parent, d.child from stage_dependency d join stage_run s on s.id = d.child
            where s.run_id = @runId order by d.parent, d.child;
            """;
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var grid = await connection.QueryMultipleAsync(Command(sql, new { runId }, cancellationToken));
        var summary = await grid.ReadSingleOrDefaultAsync<RunSummary>();
        var config = await grid.ReadSingleOrDefaultAsync<(string Config, string ConfigDigest)>();
        var stages = (await grid.ReadAsync<StageRow>()).AsList();
        var dependencies = (await grid.ReadAsync<DependencyRow>()).AsList();
        return summary is null ? null : new RunDetail(summary, config.Config, config.ConfigDigest, stages, dependencies);
    }

    /// <summary>One stage run; null if there is none.</summary>
    public Task<StageRow?> StageAsync(long stageRunId, CancellationToken cancellationToken = default) =>
        SingleAsync<StageRow>($"select {StageColumns} from stage_run s where s.id = @stageRunId", new { stageRunId }, cancellationToken);

    /// <summary>The last <paramref name="limit"/> lines of a stage's log, oldest first.</summary>
    public async Task<IReadOnlyList<LogLine>> LogTailAsync(long stageRunId, int limit = 200, CancellationToken cancellationToken = default)
    {
        var lines = await ListAsync<LogLine>(
            """
            select id, attempt, recorded_at, line from stage_log where stage_run_id = @stageRunId order by id desc limit @limit
            """,
            new { stageRunId, limit },
            cancellationToken
        );
        return [.. lines.Reverse()];
    }

    /// <summary>Lines of a stage's log after line <paramref name="afterId"/> (0: from the start), oldest first.</summary>
    public Task<IReadOnlyList<LogLine>> LogAfterAsync(
        long stageRunId,
        long afterId,
        int limit = 1_000,
        CancellationToken cancellationToken = default
    ) =>
        ListAsync<LogLine>(
            """
            select id, attempt, recorded_at, line from stage_log where stage_run_id = @stageRunId and id > @afterId order by id limit @limit
            """,
            new
            {
                stageRunId,
                afterId,
                limit,
            },
            cancellationToken
        );

    /// <summary>Events, newest first; of one run, or of all if <paramref name="runId"/> is null.</summary>
    public Task<IReadOnlyList<EventRow>> EventsAsync(long? runId, int limit = 200, CancellationToken cancellationToken = default) =>
        ListAsync<EventRow>(
            $"""
            {SelectEvents} where @runId::bigint is null or e.run_id = @runId
            order by e.id desc limit @limit
            """,
            new { runId, limit },
            cancellationToken
        );

    /// <summary>Deeds of people among the events, newest first; <paramref name="before"/>: only those with a smaller id.</summary>
    public Task<IReadOnlyList<EventRow>> DeedsAsync(long? before, int limit, CancellationToken cancellationToken = default) =>
        ListAsync<EventRow>(
            $"""
            {SelectEvents} where e.actor like 'user:%' and (@before::bigint is null or e.id < @before)
            order by e.id desc limit @limit
            """,
            new { before, limit },
            cancellationToken
        );

    /// <summary>Checkpoints of a stage run that are kept, newest first.</summary>
    public Task<IReadOnlyList<CheckpointRow>> CheckpointsAsync(long stageRunId, CancellationToken cancellationToken = default) =>
        ListAsync<CheckpointRow>(
            """
            select c.step, c.epoch, c.fingerprint, c.artifact, a.bytes, c.created_at
            from checkpoint c join artifact a on a.digest = c.artifact where c.stage_run_id = @stageRunId order by c.step desc
            """,
            new { stageRunId },
            cancellationToken
        );

    /// <summary>Workers seen within <paramref name="seenWithin"/> (default 1 h), the most recently seen first.</summary>
    public Task<IReadOnlyList<WorkerRow>> WorkersAsync(TimeSpan? seenWithin = null, CancellationToken cancellationToken = default) =>
        ListAsync<WorkerRow>(
            """
            select w.id, w.host, w.queues, w.code_version, w.started_at, w.seen_at,
                (select count(*) from stage_run s where s.lease_owner = w.id and s.state = 'running')::int as running,
                exists (select 1 from pause where scope = 'worker' and subject = w.id) as is_paused,
                exists (select 1 from pause where scope = 'host' and subject = w.host) as is_host_paused
            from worker w where w.seen_at > clock_timestamp() - @seenWithin order by w.seen_at desc
            """,
            new { seenWithin = seenWithin ?? TimeSpan.FromHours(1) },
            cancellationToken
        );

    /// <summary>The pauses that stand, the oldest first; those of runs that came to their ends all the same are left out.</summary>
    public Task<IReadOnlyList<PauseRow>> PausesAsync(CancellationToken cancellationToken = default) =>
        ListAsync<PauseRow>(
            """
            select scope, subject, interrupts, actor, created_at from pause
            where scope <> 'run' or exists (select 1 from run where id::text = subject and state = 'running')
            order by created_at, scope, subject
            """,
            null,
            cancellationToken
        );

    /// <summary>What waits and runs over all runs.</summary>
    public async Task<Overview> OverviewAsync(CancellationToken cancellationToken = default) =>
        (
            await SingleAsync<Overview>(
                """
                select (select count(*) from run where state = 'running')::int as runs_running,
                    (select count(*) from stage_run where state = 'ready')::int as stages_ready,
                    (select count(*) from stage_run where state = 'running')::int as stages_running,
                    (select count(*) from worker where seen_at > clock_timestamp() - interval '30 seconds')::int as workers_alive
                """,
                null,
                cancellationToken
            )
        )!;

    private static CommandDefinition Command(string sql, object? parameters, CancellationToken cancellationToken) =>
        new(sql, parameters, cancellationToken: cancellationToken);

    private async Task<IReadOnlyList<T>> ListAsync<T>(string sql, object? parameters, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return (await connection.QueryAsync<T>(Command(sql, parameters, cancellationToken))).AsList();
    }

    private async Task<T?> SingleAsync<T>(string sql, object? parameters, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<T>(Command(sql, parameters, cancellationToken));
    }
}
