namespace ElectraPipeline.Storage.Runs;

/// <summary>The right to do a stage run's work and to publish it, for as long as it is renewed and nobody took it over.</summary>
/// <param name="StageRunId">The stage run.</param>
/// <param name="RunId">Its run.</param>
/// <param name="Stage">Stage name.</param>
/// <param name="Shard">Which of a fanned-out stage; empty if there is one.</param>
/// <param name="Epoch">Fencing token: every write of the holder is conditional on it.</param>
/// <param name="Attempt">This attempt, counted from 1.</param>
/// <param name="MaxAttempts">Attempts allowed.</param>
/// <param name="Owner">The worker, "HOST:PID:START".</param>
public sealed record StageLease(
    long StageRunId,
    long RunId,
    string Stage,
    string Shard,
    long Epoch,
    int Attempt,
    int MaxAttempts,
    string Owner
)
{
    /// <summary>"tokenize[0003]", or "ingest" where there is no shard.</summary>
    public string DisplayName => Shard.Length == 0 ? Stage : $"{Stage}[{Shard}]";
}

/// <summary>A resource of which a host has few: "training@HOST", or "memory@HOST" in GB.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Capacity">What the host has of it, at least 1.</param>
/// <param name="Amount">What the stage needs of it, at least 1.</param>
public sealed record ResourceSlot(string Name, int Capacity, int Amount = 1);

/// <summary>A stage run that a worker was nudged for.</summary>
/// <param name="Id">The stage run.</param>
/// <param name="Stage">Stage name.</param>
/// <param name="State">Its state.</param>
/// <param name="MemoryGb">Memory that it takes, in GB; null: not counted.</param>
/// <param name="MoreUrgent">A ready stage run of its queue that is to be claimed before it; null: none.</param>
public sealed record NudgedStage(long Id, string Stage, StageState State, int? MemoryGb, long? MoreUrgent);

/// <summary>What came of a claim.</summary>
/// <param name="Lease">The lease; null if there was nothing to claim.</param>
/// <param name="Reason">Without a lease: why, for people ("succeeded", "waits for training@HOST", "paused").</param>
/// <param name="IsWorkerPaused">It is this worker or its host that is paused; others may claim.</param>
public sealed record ClaimOutcome(StageLease? Lease, string Reason, bool IsWorkerPaused = false);

/// <summary>What a heartbeat finds.</summary>
public enum LeaseState
{
    /// <summary>The lease holds.</summary>
    Held,

    /// <summary>The lease holds, and a pause asks to give it back.</summary>
    Paused,

    /// <summary>Someone else owns the stage run now, or it was cancelled.</summary>
    Lost,
}

/// <summary>What a stage run publishes.</summary>
/// <param name="Fingerprint">SHA-256 over stage, code version, options and inputs, hex.</param>
/// <param name="Artifact">The sealed output.</param>
/// <param name="Result">Small facts for people, a JSON object; null if none.</param>
/// <param name="ReusedFrom">Stage run whose output this is; null if it was made now.</param>
public sealed record StageOutput(string Fingerprint, Artifacts.SealedArtifact Artifact, string? Result, long? ReusedFrom = null);

/// <summary>What a completion or a failure made possible.</summary>
/// <param name="Ready">Stage runs that may be claimed now: children, and those that waited for the slot.</param>
/// <param name="RunState">State of the run afterwards.</param>
public sealed record StageEnd(IReadOnlyList<ReadyStage> Ready, RunState RunState);

/// <summary>A stage run's cached output.</summary>
/// <param name="Digest">Artifact digest.</param>
/// <param name="Kind">Artifact kind.</param>
/// <param name="Bytes">Size of its files.</param>
/// <param name="Files">Number of its files.</param>
/// <param name="Result">Result stored with it, JSON.</param>
/// <param name="StageRunId">Stage run that made it.</param>
/// <param name="RunId">Run that made it; null if it is gone.</param>
public sealed record CachedOutput(string Digest, string Kind, long Bytes, int Files, string? Result, long StageRunId, long? RunId);

/// <summary>Work done so far, of a total, in a unit: "steps", "documents".</summary>
public readonly record struct StageProgress(long Done, long Total, string Unit);

/// <summary>A parent's published output.</summary>
/// <param name="Stage">Parent's stage name.</param>
/// <param name="Shard">Parent's shard.</param>
/// <param name="Digest">Artifact digest.</param>
/// <param name="Result">Its result, JSON.</param>
public sealed record StageInput(string Stage, string Shard, string Digest, string? Result);
