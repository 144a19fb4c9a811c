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

    /// <summary>The figure that arms summarize and the exported seed is chosen by: "accuracy".</summary>
    public string Metric { get; init; } = "accuracy";

    /// <summary>Class names in order of their numbers.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Examples trained on.</summary>
    public required int TrainExamples { get; init; }

    /// <summary>Examples measured on.</summary>
    public required int EvaluationExamples { get; init; }

    /// <summary>Examples of both that were longer than the sequence length and lost tokens.</summary>
    public required int TruncatedExamples { get; init; }

    /// <summary>SHA-256 of both lists of examples.</summary>
    public required string DataDigest { get; init; }

    /// <summary>The most frequent class of the training examples.</summary>
    public required string MajorityClass { get; init; }

    /// <summary>Accuracy of always answering <see cref="MajorityClass"/>: what a model must beat.</summary>
    public required double MajorityAccuracy { get; init; }

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
    string Arm, IReadOnlyList<FinetuneTraining> Trainings, double Mean, double Median, double StandardDeviation)
{
    internal static FinetuneArm Of(string arm, IReadOnlyList<FinetuneTraining> trainings)
    {
        double[] sorted = [.. trainings.Select(training => training.Accuracy).Order()];
        double mean = sorted.Average();
        double spread = sorted.Sum(value => (value - mean) * (value - mean));
        return new FinetuneArm(
            arm,
            trainings,
            mean,
            (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2,
            sorted.Length > 1 ? Math.Sqrt(spread / (sorted.Length - 1)) : 0);
    }

    internal FinetuneTraining MedianTraining() =>
        Trainings.OrderBy(training => training.Accuracy).ThenBy(training => training.Seed).ElementAt((Trainings.Count - 1) / 2);
}

/// <summary>One training, measured on the evaluation examples after its last step.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Steps">Optimizer steps.</param>
/// <param name="Accuracy">Share of right answers.</param>
/// <param name="MacroF1">Mean F1 of the classes that occur.</param>
/// <param name="MicroF1">F1 of all classes counted together.</param>
/// <param name="Matthews">Matthews correlation.</param>
/// <param name="PositiveF1">F1 of the second class, which GLUE reports for two classes; null for more.</param>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
public sealed record FinetuneTraining(
    int Seed, long Steps, double Accuracy, double MacroF1, double MicroF1, double Matthews, double? PositiveF1, double Loss);
