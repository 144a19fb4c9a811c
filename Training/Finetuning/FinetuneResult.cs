using System.Text.Json;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>What fine-tuning came to; <c>results.json</c> of the output.</summary>
public sealed record FinetuneResult
{
    internal const string FileName = "results.json";

    internal static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>The task's name.</summary>
    public required string Name { get; init; }

    /// <summary>The task's kind.</summary>
    public required string Kind { get; init; }

    /// <summary>The figure that arms summarize and the exported seed is chosen by, one of a training's.</summary>
    public required string Metric { get; init; }

    /// <summary>Class or tag names in order of their numbers; empty for scores.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Examples trained on.</summary>
    public required int TrainExamples { get; init; }

    /// <summary>Examples measured on.</summary>
    public required int EvaluationExamples { get; init; }

    /// <summary>Examples of both that were longer than the sequence length and lost tokens.</summary>
    public required int TruncatedExamples { get; init; }

    /// <summary>SHA-256 of both lists of examples.</summary>
    public required string DataDigest { get; init; }

    /// <summary>What a model must beat.</summary>
    public required FinetuneBaseline Baseline { get; init; }

    /// <summary>"pretrained", and "random" where a baseline was asked for.</summary>
    public required IReadOnlyList<FinetuneArm> Arms { get; init; }

    /// <summary>Seed of the exported model: the median of the pretrained arm, of an even number the lower one.</summary>
    public required int ExportedSeed { get; init; }
}

/// <summary>All trainings from one kind of start.</summary>
/// <param name="Arm">"pretrained" or "random".</param>
/// <param name="Trainings">One for each seed, in the order of the options.</param>
/// <param name="Mean">Mean of the metric.</param>
/// <param name="Median">Median of the metric; of an even number the mean of the middle two.</param>
/// <param name="StandardDeviation">Sample standard deviation of the metric; 0 for one seed.</param>
public sealed record FinetuneArm(
    string Arm,
    IReadOnlyList<FinetuneTraining> Trainings,
    double Mean,
    double Median,
    double StandardDeviation
)
{
    internal static FinetuneArm Of(string arm, string metric, IReadOnlyList<FinetuneTraining> trainings)
    {
        double[] sorted = [.. trainings.Select(training => training.Figures[metric]).Order()];
        double mean = sorted.Average();
        double spread = sorted.Sum(value => (value - mean) * (value - mean));
        return new FinetuneArm(
            arm,
            trainings,
            mean,
            (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2,
            sorted.Length > 1 ? Math.Sqrt(spread / (sorted.Length - 1)) : 0
        );
    }

    internal FinetuneTraining MedianTraining(string metric) =>
        Trainings.OrderBy(training => training.Figures[metric]).ThenBy(training => training.Seed).ElementAt((Trainings.Count - 1) / 2);
}

/// <summary>An answer that needs no model.</summary>
/// <param name="Answer">What it answers, in words.</param>
/// <param name="Value">The metric that it reaches on the evaluation examples.</param>
public sealed record FinetuneBaseline(string Answer, double Value);

/// <summary>One training, measured on the evaluation examples after its last step.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Figures">Figures of merit by name, in [0, 1] or, for correlations, [-1, 1].</param>
/// <param name="Loss">Mean loss a target (example, or labelled word), in nats; for scores the squared error.</param>
public sealed record FinetuneTraining(int Seed, long Steps, IReadOnlyDictionary<string, double> Figures, double Loss);
