using ElectraPipeline.Dashboard.Pages;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Dashboard.Charts;

/// <summary>Chooses the curves of a run and groups them into charts.</summary>
internal sealed class RunCharts(Queries queries)
{
    private const string PretrainStage = "pretrain";
    private const string FinetuneStage = "finetune";

    // A picture is about 300 dots wide; more points only cost time.
    private const int PointsPerCurve = 240;

    private static readonly ChartPlan[] _plans =
    [
        new(
            "Generator loss (MLM)",
            "nats per masked token",
            [
                new("held-out", CurveKind.Main, "heldout/generator_loss"),
                new("training", CurveKind.Thin, "train/generator_loss"),
                new("unigram entropy", CurveKind.Reference, "heldout/unigram_entropy"),
            ]
        ),
        new(
            "Language model loss",
            "main model, nats per predicted token",
            [new("held-out", CurveKind.Main, "heldout/language_model_loss"), new("training", CurveKind.Thin, "train/language_model_loss")]
        ),
        new(
            "Discriminator loss (RTD)",
            "nats per token",
            [new("held-out", CurveKind.Main, "heldout/discriminator_loss"), new("training", CurveKind.Thin, "train/discriminator_loss")]
        ),
        new("RTD AUC", "held-out; 0.5 is chance", [new("AUC", CurveKind.Main, "heldout/discriminator_auc")]),
        new("Learning rate", "", [new("learning rate", CurveKind.Main, "train/learning_rate")]),
        new("Throughput", "tokens per second", [new("tokens/s", CurveKind.Thin, "train/tokens_per_second")]),
        new(
            "Model FLOPs utilization",
            "share of the fastest matrix product",
            [new("utilization", CurveKind.Thin, "train/model_flops_utilization")]
        ),
        new("Gradient norm", "before clipping", [new("norm", CurveKind.Thin, "train/gradient_norm")]),
    ];

    /// <summary>The charts of a run's pre-training, then of its fine-tuning; null if no point was reported.</summary>
    public async Task<RunCurves?> ReadAsync(RunDetail run, CancellationToken cancellationToken)
    {
        long trainedIn =
            run.Stages.FirstOrDefault(stage => stage.Stage == PretrainStage && stage.State == StageState.Reused)?.ReusedFromRun
            ?? run.Summary.Id;
        IReadOnlyList<MetricSummary> metrics = await queries.MetricsAsync(trainedIn, cancellationToken);

        // Evaluation at the end repeats names with one point; the curve with the most points is the one to draw.
        Dictionary<string, MetricSummary> pretraining = metrics
            .Where(metric => metric.Stage != FinetuneStage)
            .GroupBy(metric => metric.Name)
            .ToDictionary(group => group.Key, group => group.MaxBy(metric => metric.Points)!);
        var charts = new List<ChartData>();
        foreach (ChartPlan plan in _plans)
        {
            if (await DrawAsync(plan, pretraining, cancellationToken) is { } chart)
            {
                charts.Add(chart);
            }
        }

        IReadOnlyList<MetricSummary> own =
            trainedIn == run.Summary.Id ? metrics : await queries.MetricsAsync(run.Summary.Id, cancellationToken);
        foreach (
            IGrouping<string, MetricSummary> task in own.Where(metric => metric.Stage == FinetuneStage).GroupBy(metric => metric.Shard)
        )
        {
            charts.AddRange(await FinetuningAsync(task, cancellationToken));
        }

        return charts.Count == 0 ? null : new RunCurves(trainedIn, charts);
    }

    private async Task<ChartData?> DrawAsync(ChartPlan plan, Dictionary<string, MetricSummary> metrics, CancellationToken cancellationToken)
    {
        var curves = new List<Curve>();
        foreach (CurvePlan curve in plan.Curves)
        {
            if (metrics.TryGetValue(curve.Metric, out MetricSummary? metric))
            {
                curves.Add(await ReadCurveAsync(metric, curve.Label, curve.Kind, cancellationToken));
            }
        }

        return curves.TrueForAll(curve => curve.Kind == CurveKind.Reference)
            ? null
            : new ChartData(plan.Title, plan.Unit, [.. curves.Select(curve => Stretched(curve, curves))]);
    }

    private async Task<List<ChartData>> FinetuningAsync(IGrouping<string, MetricSummary> task, CancellationToken cancellationToken)
    {
        var charts = new List<ChartData>();
        foreach (MetricSummary metric in task.Where(metric => metric.Points > 1))
        {
            Curve curve = await ReadCurveAsync(metric, metric.Name, CurveKind.Main, cancellationToken);
            charts.Add(new ChartData($"Fine-tuning {task.Key}", "", [curve]));
        }

        return charts;
    }

    private async Task<Curve> ReadCurveAsync(MetricSummary metric, string label, CurveKind kind, CancellationToken cancellationToken)
    {
        IReadOnlyList<MetricPoint> points = await queries.MetricPointsAsync(
            metric.StageRunId,
            metric.Name,
            PointsPerCurve,
            cancellationToken
        );
        return new Curve(label, kind, [.. points.Select(point => new CurvePoint(point.Step, point.Value))]);
    }

    /// <summary>A reference is a level: it spans the picture, however rarely it was reported.</summary>
    private static Curve Stretched(Curve curve, IReadOnlyList<Curve> all)
    {
        if (curve.Kind != CurveKind.Reference || curve.Points.Count == 0)
        {
            return curve;
        }

        List<long> steps = [.. all.SelectMany(other => other.Points.Select(point => point.Step))];
        double level = curve.Points[^1].Value;
        return curve with { Points = [new CurvePoint(steps.Min(), level), new CurvePoint(steps.Max(), level)] };
    }

    private sealed record ChartPlan(string Title, string Unit, CurvePlan[] Curves);

    private sealed record CurvePlan(string Label, CurveKind Kind, string Metric);
}
