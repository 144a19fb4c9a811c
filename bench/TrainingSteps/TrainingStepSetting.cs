using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;

namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>What is trained for one row.</summary>
internal sealed record TrainingStepSetting
{
    public required ModelOptions Model { get; init; }

    /// <summary>Tokens of the vocabulary.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Tokens a sequence.</summary>
    public required int Length { get; init; }

    /// <summary>Replicas of one thread each.</summary>
    public required int Threads { get; init; }

    /// <summary>Sequences a step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Sequences computed at once.</summary>
    public required int MicroBatchSize { get; init; }

    /// <summary>How long to measure.</summary>
    public double Seconds { get; init; }

    /// <summary>How many steps to watch the memory for.</summary>
    public int Steps { get; init; }

    /// <summary>As the table's first column says it.</summary>
    public string Name =>
        $"{Model.Preset} {Length}, {Threads} thread{(Threads == 1 ? "" : "s")}, {BatchSize} x {Length}, "
        + (Model.HiddenDropout is { } rate ? $"dropout {rate}" : "its dropout");

    public ElectraConfig Config() => Model.Resolve(Vocabulary);

    /// <summary>Curves get a point every step: the most that logging can cost.</summary>
    public PretrainOptions Options() =>
        new()
        {
            BatchSize = BatchSize,
            MicroBatchSize = MicroBatchSize,
            Replicas = Threads,
            Device = "cpu",
            LogSteps = 1,
            CheckpointSteps = 0,
            EvaluateSteps = 0,
        };
}
