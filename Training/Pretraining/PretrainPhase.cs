namespace ElectraPipeline.Training.Pretraining;

/// <summary>A part of the training with settings of its own, such as most steps with short sequences and the last with long ones.</summary>
public sealed record PretrainPhase
{
    /// <summary>Optimizer steps; those of all phases are <see cref="PretrainOptions.Steps"/> together.</summary>
    public required int Steps { get; init; }

    /// <summary>
    /// Tokens a sequence. A longer example is cut to one of its windows of that length, drawn anew each time; null: examples as they are
    /// (<c>examples.sequenceLength</c>), which no phase can exceed.
    /// </summary>
    public int? SequenceLength { get; init; }

    /// <summary>Sequences a step; null: <see cref="PretrainOptions.BatchSize"/>.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Sequences computed at once; null: <see cref="PretrainOptions.MicroBatchSize"/>.</summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>
    /// Restarts the learning rate: this peak, with a warm-up and a decay over this phase's steps. Null: the run's schedule over all steps
    /// goes on.
    /// </summary>
    public double? LearningRate { get; init; }

    /// <summary>Steps of warm-up after a restart; null: <see cref="PretrainOptions.WarmupSteps"/>.</summary>
    public int? WarmupSteps { get; init; }
}
