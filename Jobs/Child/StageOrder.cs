namespace ElectraPipeline.Jobs.Child;

/// <summary>What a child process is to do, in a file: arguments would show in process lists and have a length limit.</summary>
/// <param name="Stage">Stage name.</param>
/// <param name="Request">The stage's request, JSON.</param>
internal sealed record StageOrder(string Stage, string Request);

/// <summary>One line from the child to its parent.</summary>
internal sealed record ChildMessage
{
    /// <summary>"progress", "metric", "log", "checkpoint", "result" or "error".</summary>
    public required string Type { get; init; }

    /// <summary>Progress: done. Metric and checkpoint: the step.</summary>
    public long Number { get; init; }

    /// <summary>Progress: the total.</summary>
    public long Total { get; init; }

    /// <summary>Metric: the value.</summary>
    public double Value { get; init; }

    /// <summary>Progress: unit. Metric: name. Log and error: text. Checkpoint: folder. Result: JSON.</summary>
    public string Text { get; init; } = "";

    /// <summary>Error: a disk takes no files.</summary>
    public bool IsDiskTrouble { get; init; }

    /// <summary>Error: trying again cannot help.</summary>
    public bool IsPermanent { get; init; }
}
