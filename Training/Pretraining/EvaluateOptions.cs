namespace ElectraPipeline.Training.Pretraining;

/// <summary>Held-out evaluation of a pre-trained model.</summary>
public sealed record EvaluateOptions
{
    /// <summary>Held-out examples at most, the first in shard order; 0: all.</summary>
    public int MaxExamples { get; init; } = 2_048;

    /// <summary>Seed of masks and samples, the same for every evaluation so that points compare.</summary>
    public int Seed { get; init; } = 20_200_323;
}
