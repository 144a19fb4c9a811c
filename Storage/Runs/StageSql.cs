namespace ElectraPipeline.Storage.Runs;

/// <summary>Statements that several transitions share.</summary>
internal static class StageSql
{
    /// <summary>The condition that a pause of its run or queue holds stage run s back.</summary>
    public const string IsHeld =
        "exists (select 1 from pause p where (p.scope, p.subject) in (('run', s.run_id::text), ('queue', s.queue)))";

    /// <summary>The condition that a pause p covers stage run s in the hands of worker @owner ("HOST:PID:START").</summary>
    public const string CoversClaim =
        "(p.scope, p.subject) in (('run', s.run_id::text), ('queue', s.queue), ('worker', @owner), ('host', split_part(@owner, ':', 1)))";

    /// <summary>
    /// Counts a finished parent off its children and makes those ready that wait for nothing more. The lock is in id order.
    /// </summary>
    public const string ReleaseChildren = """
        with children as (
            select s.id from stage_run s join stage_dependency d on d.child = s.id
            where d.parent = @StageRunId and s.state = 'blocked' order by s.id for no key update of s),
        counted as (
            update stage_run s set pending_dependencies = s.pending_dependencies - 1,
                state = case when s.pending_dependencies = 1 then 'ready' else 'blocked' end::stage_state,
                available_at = clock_timestamp()
            from children where s.id = children.id
            returning s.id, s.queue, s.hangfire_job_id, s.state)
        select id, queue, hangfire_job_id from counted where state = 'ready' order by id
        """;

    /// <summary>
    /// Gives runs of @runs that can go no further their end state: failed before cancelled before succeeded. Blocked stages below a
    /// failed one stay blocked, so that a retry finds them. A run with something to do is told by one row, not by all of its stages: this
    /// is asked after every stage.
    /// </summary>
    public const string FinishRuns = """
        with settled as materialized (
            select id from run where id = any(@runs) and state = 'running'
                and not exists (select 1 from stage_run o where o.run_id = run.id and o.state in ('ready', 'running')))
        update run set state = ended.state, finished_at = clock_timestamp()
        from (
            select s.run_id, (case when bool_or(s.state = 'failed') then 'failed' when bool_or(s.state = 'cancelled') then 'cancelled'
                else 'succeeded' end)::run_state as state
            from settled join stage_run s on s.run_id = settled.id group by s.run_id
            having bool_or(s.state in ('failed', 'cancelled')) or bool_and(s.state in ('succeeded', 'reused'))) ended
        where run.id = ended.run_id and run.state = 'running'
        """;
}
