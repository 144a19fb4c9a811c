namespace ElectraPipeline.Storage.ReadModels;

public sealed partial class Queries
{
    /// <summary>The curves of a run, by stage and name.</summary>
    public Task<IReadOnlyList<MetricSummary>> MetricsAsync(long runId, CancellationToken cancellationToken = default) =>
        ListAsync<MetricSummary>(
            """
            select m.stage_run_id, s.stage, s.shard, m.name, count(*) as points, max(m.step) as last_step,
                (array_agg(m.value order by m.step desc))[1] as last_value, min(m.value) as minimum, max(m.value) as maximum
            from metric m join stage_run s on s.id = m.stage_run_id
            where s.run_id = @runId
            group by m.stage_run_id, s.stage, s.shard, s.ordinal, m.name order by s.ordinal, m.name
            """,
            new { runId },
            cancellationToken
        );

    /// <summary>
    /// A curve in order of steps, thinned evenly to about <paramref name="maxPoints"/> points; the last point is always there.
    /// </summary>
    public Task<IReadOnlyList<MetricPoint>> MetricPointsAsync(
        long stageRunId,
        string name,
        int maxPoints = 500,
        CancellationToken cancellationToken = default
    ) =>
        ListAsync<MetricPoint>(
            """
            select step, value from (
                select step, value, row_number() over (order by step desc) - 1 as from_last, count(*) over () as points
                from metric where stage_run_id = @stageRunId and name = @name) p
            where from_last % greatest(1, (points + @maxPoints - 1) / @maxPoints) = 0
            order by step
            """,
            new
            {
                stageRunId,
                name,
                maxPoints,
            },
            cancellationToken
        );
}
