namespace ElectraPipeline.Storage.ReadModels;

public sealed partial class Queries
{
    /// <summary>Stage runs that are leased now, over all runs, in order of display.</summary>
    public Task<IReadOnlyList<StageRow>> RunningStagesAsync(CancellationToken cancellationToken = default) =>
        ListAsync<StageRow>(
            $"select {StageColumns} from stage_run s where s.state = 'running' order by s.run_id, s.ordinal, s.id",
            null,
            cancellationToken
        );

    /// <summary>
    /// Optimizer steps a second of running stages, over the last 100 points of "train/loss" of the present attempt. Stages whose points
    /// span less than 5 s are left out: points are stored in bursts, and a burst says nothing about speed.
    /// </summary>
    public async Task<IReadOnlyDictionary<long, double>> StepRatesAsync(
        IReadOnlyCollection<long> stageRunIds,
        CancellationToken cancellationToken = default
    )
    {
        var rates = await ListAsync<StepRate>(
            """
            select s.id as stage_run_id,
                (max(p.step) - min(p.step)) / extract(epoch from max(p.recorded_at) - min(p.recorded_at))::double precision as rate
            from stage_run s cross join lateral (
                select step, recorded_at from metric m
                where m.stage_run_id = s.id and m.name = 'train/loss' and m.recorded_at >= s.started_at
                order by step desc limit 100) p
            where s.id = any(@ids) and s.state = 'running'
            group by s.id having max(p.recorded_at) - min(p.recorded_at) > interval '5 seconds'
            """,
            new { ids = stageRunIds.ToArray() },
            cancellationToken
        );
        return rates.ToDictionary(rate => rate.StageRunId, rate => rate.Rate);
    }

    /// <summary>Dataset and model versions that a run made first.</summary>
    public Task<IReadOnlyList<ProductRow>> ProductsAsync(long runId, CancellationToken cancellationToken = default) =>
        ListAsync<ProductRow>(
            """
            select 'dataset' as kind, dataset as name, version from dataset_version where run_id = @runId
            union all
            select 'model', model, version from model_version where run_id = @runId
            order by kind, name, version
            """,
            new { runId },
            cancellationToken
        );

    /// <summary>Name of the newest migration that was applied, "0001_initial.sql".</summary>
    public async Task<string> SchemaVersionAsync(CancellationToken cancellationToken = default)
    {
        string newest = (await SingleAsync<string>("select max(scriptname) from schema_version", null, cancellationToken)) ?? "";
        return newest[(newest.IndexOf("Migrations.", StringComparison.Ordinal) is var at and >= 0 ? at + "Migrations.".Length : 0)..];
    }

    private sealed record StepRate(long StageRunId, double Rate);
}

/// <summary>A version that a run made.</summary>
/// <param name="Kind">"dataset" or "model".</param>
/// <param name="Name">Name of the dataset or model.</param>
/// <param name="Version">The version.</param>
public sealed record ProductRow(string Kind, string Name, int Version);
