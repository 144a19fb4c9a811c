using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using OxyPlot;
using OxyPlot.Annotations;
using OxyPlot.Axes;
using OxyPlot.Series;

namespace ElectraPipeline.Bench;

/// <summary>
/// Reads what the runs of bench/study came to: every model whose name begins with "study-", its newest version. Prints the fine-tuning
/// figures as a Markdown table and draws the held-out curves.
/// </summary>
internal static class StudyCommand
{
    private const string Prefix = "study-";
    private const string RandomArm = "random";

    private static readonly (string Metric, string Title, string File)[] Curves =
    [
        ("heldout/discriminator_auc", "replaced-token detection, AUC on held-out text", "auc"),
        ("heldout/generator_loss", "ELECTRA's generator, loss on held-out text (nats)", "generator"),
        ("heldout/language_model_loss", "masked language model, loss on held-out text (nats)", "mlm"),
    ];

    public static Command Create()
    {
        var data = new Option<string>("--data") { Required = true, Description = "data folder of the runs" };
        var pictures = new Option<string>("--pictures")
        {
            DefaultValueFactory = _ => "bench/results",
            Description = "folder of the curves",
        };
        var command = new Command("study", "Table and curves of the runs of bench/study") { data, pictures };
        command.SetAction(
            (parsed, cancellationToken) => PrintAsync(parsed.GetRequiredValue(data), parsed.GetRequiredValue(pictures), cancellationToken)
        );
        return command;
    }

    private static async Task PrintAsync(string data, string pictures, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await ElectraStorage.OpenAsync(new StorageOptions { DataFolder = data }, cancellationToken);
        IReadOnlyList<ModelVersionRow> all = await storage.Queries.ModelVersionsAsync(cancellationToken: cancellationToken);
        ModelVersionRow[] models =
        [
            .. all.Where(model => model.Model.StartsWith(Prefix, StringComparison.Ordinal))
                .GroupBy(model => model.Model)
                .Select(versions => versions.MaxBy(model => model.Version)!)
                .OrderBy(model => model.Model, StringComparer.Ordinal),
        ];
        if (models.Length == 0)
        {
            Console.Error.WriteLine(
                $"{data} has no model of the study. Run its configs first: electra run bench/study/docs-electra.json --watch --data {data}"
            );
            return;
        }

        Console.Write(TableOf([.. models.SelectMany(model => RowsOf(model, storage))]));
        foreach ((string metric, string title, string file) in Curves)
        {
            string path = Path.Combine(pictures, $"study-{file}.svg");
            await File.WriteAllTextAsync(path, await DrawAsync(storage, models, metric, title, cancellationToken), cancellationToken);
            Console.Error.WriteLine(path);
        }
    }

    /// <summary>A start of fine-tuning and what it came to in each task.</summary>
    private sealed record Row(string Start, string Steps, double Compute, IReadOnlyDictionary<string, string> Figures);

    private static IEnumerable<Row> RowsOf(ModelVersionRow model, ElectraStorage storage)
    {
        RunConfig config = ConfigOf(model);
        string name = model.Model[Prefix.Length..];
        using var tasks = JsonDocument.Parse(model.Finetuned);
        FinetuneResult[] results = [.. tasks.RootElement.EnumerateObject().Select(task => ResultOf(task.Value, storage))];
        yield return new Row(name, $"{config.Pretrain.Steps:N0}", ComputeOf(config) / 1e12, FiguresOf("pretrained"));
        if (results.All(result => result.Arms.Any(arm => arm.Arm == RandomArm)))
        {
            yield return new Row($"{name[..name.IndexOf('-')]}-{RandomArm}", "0", 0, FiguresOf(RandomArm));
        }

        Dictionary<string, string> FiguresOf(string arm) =>
            results.ToDictionary(
                result => $"{result.Name} ({result.Metric})",
                result =>
                    result.Arms.Single(candidate => candidate.Arm == arm) is var found
                        ? string.Create(CultureInfo.InvariantCulture, $"{100 * found.Mean:F1} ± {100 * found.StandardDeviation:F1}")
                        : ""
            );
    }

    private static RunConfig ConfigOf(ModelVersionRow model) => RunConfigReader.Read(Encoding.UTF8.GetBytes(model.Config), model.Model);

    /// <summary>Multiplications and additions of the whole pre-training, at the expected number of masked tokens.</summary>
    private static double ComputeOf(RunConfig config)
    {
        PretrainOptions options = config.Pretrain;
        int length = config.Examples.SequenceLength;
        int masked = (int)(options.BatchSize * length * options.MaskProbability);
        ElectraConfig sizes = config.Model.Resolve(config.Vocabulary.Size, PretrainingObjectives.PartsOf(options.Objective));
        return (double)options.Steps * TrainingCompute.OfStep(sizes, options.BatchSize, length, masked);
    }

    private static FinetuneResult ResultOf(JsonElement task, ElectraStorage storage)
    {
        string folder = storage.Artifacts.PathOf(task.GetProperty("artifact").GetString()!);
        return JsonSerializer.Deserialize<FinetuneResult>(
            File.ReadAllBytes(Path.Combine(folder, FinetuneResult.FileName)),
            FinetuneResult.Json
        )!;
    }

    private static string TableOf(IReadOnlyList<Row> rows)
    {
        string[] tasks = [.. rows[0].Figures.Keys];
        var text = new StringBuilder("| start | steps | TFLOP |").AppendJoin('|', tasks.Select(task => $" {task} ")).AppendLine("|");
        text.Append("|---|--:|--:|").AppendJoin('|', tasks.Select(_ => "--:")).AppendLine("|");
        foreach (Row row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Start} | {row.Steps} | {row.Compute:F0} |");
            text.AppendJoin('|', tasks.Select(task => $" {row.Figures[task]} ")).AppendLine("|");
        }

        return text.ToString();
    }

    private static async Task<string> DrawAsync(
        ElectraStorage storage,
        IReadOnlyList<ModelVersionRow> models,
        string metric,
        string title,
        CancellationToken cancellationToken
    )
    {
        var plot = new PlotModel { Title = title, TitleFontSize = 13 };
        plot.Axes.Add(
            new LinearAxis
            {
                Position = AxisPosition.Bottom,
                Title = "compute (TFLOP)",
                Minimum = 0,
                MajorGridlineStyle = LineStyle.Dot,
            }
        );
        plot.Axes.Add(new LinearAxis { Position = AxisPosition.Left, MajorGridlineStyle = LineStyle.Dot });
        foreach (ModelVersionRow model in models)
        {
            RunConfig config = ConfigOf(model);
            MetricSummary? curve = (await storage.Queries.MetricsAsync(model.RunId!.Value, cancellationToken)).FirstOrDefault(candidate =>
                candidate.Name == metric && candidate.Stage == "pretrain"
            );
            if (curve is null)
            {
                continue;
            }

            double step = ComputeOf(config) / config.Pretrain.Steps / 1e12;
            var line = new LineSeries { Title = model.Model[Prefix.Length..] };
            line.Points.AddRange(
                (await storage.Queries.MetricPointsAsync(curve.StageRunId, metric, cancellationToken: cancellationToken)).Select(
                    point => new DataPoint(point.Step * step, point.Value)
                )
            );
            plot.Series.Add(line);
            plot.Annotations.Add(
                new TextAnnotation
                {
                    Text = line.Title,
                    TextPosition = line.Points[^1],
                    TextHorizontalAlignment = HorizontalAlignment.Right,
                    TextVerticalAlignment = VerticalAlignment.Bottom,
                    StrokeThickness = 0,
                }
            );
        }

        return new SvgExporter { Width = 640, Height = 360 }.ExportToString(plot);
    }
}
