using ElectraPipeline.Jobs.Child;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Pretraining;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Measures the pre-trained model on held-out text, in a child process; the figures become the model version's metrics.</summary>
internal sealed class EvaluateStage() : TrainingStage<EvaluateRequest, IReadOnlyDictionary<string, double>>("evaluate", codeVersion: 2)
{
    /// <summary>Name of the file in the output with the metrics.</summary>
    public const string MetricsFile = "metrics.json";

    public override IReadOnlyList<string> FilesOfConfig => [];

    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files) =>
        [CanonicalJson.Ingredient(config.Evaluate), config.Pretrain.Device];

    protected override EvaluateRequest RequestOf(StageContext context, string workFolder, string? checkpoint) =>
        new()
        {
            ModelFolder = context.FolderOf("pretrain"),
            ShardFolders = context.FoldersOf("tokenize"),
            VocabularyFolder = context.FolderOf("vocabulary"),
            Evaluate = context.Config.Evaluate,
            Device = context.Config.Pretrain.Device,
            Threads = Math.Max(1, context.Config.Pretrain.Replicas),
        };

    protected override IReadOnlyDictionary<string, double> RunInChild(
        EvaluateRequest request,
        ChildReporter reporter,
        CancellationToken cancellationToken
    )
    {
        var metrics = EvaluateProgram
            .Run(request, reporter, cancellationToken)
            .Metrics()
            .ToDictionary(metric => metric.Name, metric => metric.Value);
        foreach (var (name, value) in metrics)
        {
            reporter.Metric(name, 0, value);
        }

        return metrics;
    }

    public override async Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        string? metrics = await base.RunAsync(context, cancellationToken);
        DurableFile.WriteText(Path.Combine(context.OutputFolder, MetricsFile), metrics!);
        return metrics;
    }
}
