namespace ElectraPipeline.Training.Objective;

/// <summary>What objectives can be told, whatever trains them.</summary>
internal sealed record ObjectiveSettings
{
    /// <summary>Weight of the generator's loss.</summary>
    public double GeneratorWeight { get; init; } = 1;

    /// <summary>Weight of a detection loss; a main language model's loss has weight 1.</summary>
    public double DiscriminatorWeight { get; init; } = 50;

    /// <summary>Share of tokens masked, in (0, 1): how much noise Electric's estimation expects.</summary>
    public double MaskProbability { get; init; } = 0.15;

    /// <summary>Tokens that are never predicted.</summary>
    public SpecialIds Ids { get; init; }

    /// <summary>Compute activations again in the backward pass instead of keeping them.</summary>
    public bool Recompute { get; init; }
}
