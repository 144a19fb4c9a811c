using ElectraPipeline.Dashboard.Charts;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Reads what the pages about runs show.</summary>
internal sealed class RunReader(Queries queries, RunCharts charts, TimeProvider clock)
{
    private const int LogLines = 200;

    /// <summary>Progress of all running stages, by run.</summary>
    public async Task<ILookup<long, StageProgress>> RunningAsync(CancellationToken cancellationToken) =>
        (await ProgressAsync(await queries.RunningStagesAsync(cancellationToken), cancellationToken)).ToLookup(progress =>
            progress.Stage.RunId
        );

    /// <summary>The page of a run; null if there is no such run.</summary>
    public async Task<RunModel?> RunAsync(long runId, string? notice, CancellationToken cancellationToken)
    {
        RunDetail? run = await queries.RunAsync(runId, cancellationToken);
        if (run is null)
        {
            return null;
        }

        StageRow? logStage = StageToWatch(run.Stages);
        return new RunModel
        {
            Run = run,
            Overview = await queries.OverviewAsync(cancellationToken),
            Progress = (
                await ProgressAsync([.. run.Stages.Where(stage => stage.State == StageState.Running)], cancellationToken)
            ).ToDictionary(progress => progress.Stage.Id),
            Checkpoints = await CheckpointsAsync(run.Stages, cancellationToken),
            Curves = await charts.ReadAsync(run, cancellationToken),
            LogStage = logStage,
            Log = logStage is null ? [] : await queries.LogTailAsync(logStage.Id, LogLines, cancellationToken),
            Events = await queries.EventsAsync(runId, 100, cancellationToken),
            Products = [.. (await queries.ProductsAsync(runId, cancellationToken)).Select(ToProduct)],
            Notice = notice,
            Now = clock.GetUtcNow(),
        };
    }

    private static RunProduct ToProduct(ProductRow row) =>
        new(
            row.Kind == "dataset" ? "Dataset" : "Model",
            $"{row.Name} version {row.Version}",
            $"/{row.Kind}s/{Uri.EscapeDataString(row.Name)}/{row.Version}"
        );

    private static StageRow? StageToWatch(IReadOnlyList<StageRow> stages) =>
        stages.FirstOrDefault(stage => stage.State == StageState.Failed)
        ?? stages.FirstOrDefault(stage => stage.State == StageState.Running)
        ?? stages.Where(stage => stage.StartedAt is not null).MaxBy(stage => stage.StartedAt);

    private async Task<IReadOnlyList<StageProgress>> ProgressAsync(IReadOnlyList<StageRow> stages, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<long, double> rates = await queries.StepRatesAsync([.. stages.Select(stage => stage.Id)], cancellationToken);
        DateTimeOffset now = clock.GetUtcNow();
        return [.. stages.Select(stage => StageProgress.Of(stage, rates.TryGetValue(stage.Id, out double rate) ? rate : null, now))];
    }

    private async Task<IReadOnlyDictionary<long, CheckpointRow>> CheckpointsAsync(
        IReadOnlyList<StageRow> stages,
        CancellationToken cancellationToken
    )
    {
        var newest = new Dictionary<long, CheckpointRow>();
        foreach (
            StageRow stage in stages.Where(stage =>
                stage.ProgressUnit == "steps" && stage.State is not (StageState.Succeeded or StageState.Reused)
            )
        )
        {
            if ((await queries.CheckpointsAsync(stage.Id, cancellationToken)) is [CheckpointRow first, ..])
            {
                newest[stage.Id] = first;
            }
        }

        return newest;
    }
}
