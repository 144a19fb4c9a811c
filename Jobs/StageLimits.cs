namespace ElectraPipeline.Jobs;

/// <summary>How often and how long one kind of stage may try, and what it needs. Changes no output, so no fingerprint either.</summary>
public sealed record StageLimits
{
    /// <summary>Stage name: "pretrain". Of a fanned-out stage, each shard.</summary>
    public required string Stage { get; init; }

    /// <summary>Attempts before it counts as failed, at least 1; a checkpoint further on allows all of them anew.</summary>
    public int Attempts { get; init; } = 3;

    /// <summary>Seconds before the second attempt, at least 0; doubled for each more, up to ten minutes. Null: the worker's, 2.</summary>
    public double? BackoffSeconds { get; init; }

    /// <summary>
    /// Seconds that an attempt may take, above 0, at most 30 days: then it is stopped, training with a checkpoint, and counts as failed.
    /// Null: no limit.
    /// </summary>
    public double? TimeLimitSeconds { get; init; }

    /// <summary>
    /// GB of memory that it takes, at least 1: on a host run stages that together take no more than its workers' <c>--memory</c>. Null: it
    /// is not counted.
    /// </summary>
    public int? MemoryGb { get; init; }
}
