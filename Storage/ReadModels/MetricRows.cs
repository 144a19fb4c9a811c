namespace ElectraPipeline.Storage.ReadModels;

/// <summary>One curve of a run.</summary>
/// <param name="StageRunId">Stage run that reported it.</param>
/// <param name="Stage">Its stage name.</param>
/// <param name="Shard">Its shard; empty if there is one.</param>
/// <param name="Name">"train/loss", "heldout/discriminator_auc", ...</param>
/// <param name="Points">Points stored.</param>
/// <param name="LastStep">Step of the last point.</param>
/// <param name="LastValue">Value of the last point.</param>
/// <param name="Minimum">Least value; NaN counts as greatest.</param>
/// <param name="Maximum">Greatest value.</param>
public sealed record MetricSummary(
    long StageRunId,
    string Stage,
    string Shard,
    string Name,
    long Points,
    long LastStep,
    double LastValue,
    double Minimum,
    double Maximum
);

/// <summary>A point of a curve. Steps count from 0.</summary>
public sealed record MetricPoint(long Step, double Value);
