namespace ElectraPipeline.Training.Shards;

/// <summary>Shards of other datasets that pre-training draws from beside the run's own, by weight.</summary>
public sealed record MixtureOptions
{
    /// <summary>Weight of the run's own corpus; 0: it is only evaluated on.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>The others; held-out examples are not taken from them.</summary>
    public IReadOnlyList<MixedDataset> Datasets { get; init; } = [];
}

/// <summary>A dataset that is mixed in.</summary>
public sealed record MixedDataset
{
    /// <summary>
    /// A folder with shards in it or below it, relative to the config file: of the same vocabulary and sequence length as the run's.
    /// </summary>
    public required string Path { get; init; }

    /// <summary>Examples drawn from it, in proportion to the other weights; above 0.</summary>
    public double Weight { get; init; } = 1;
}
