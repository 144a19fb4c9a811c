namespace ElectraPipeline.Storage.Runs;

/// <summary>A run to create, with its whole graph.</summary>
/// <param name="Name">Name of the dataset and model it makes.</param>
/// <param name="Config">Resolved config, JSON.</param>
/// <param name="ConfigDigest">SHA-256 of the canonical config, hex.</param>
/// <param name="Trigger">"user", "demo" or "schedule:NAME".</param>
/// <param name="CodeVersion">Version of the program that creates it.</param>
/// <param name="Actor">Who creates it, for the events: "user:NAME".</param>
/// <param name="Stages">Its stages, parents before children.</param>
/// <param name="Priority">Its stages' priority: of the ready ones of a queue the greater is claimed first.</param>
public sealed record NewRun(
    string Name,
    string Config,
    string ConfigDigest,
    string Trigger,
    string CodeVersion,
    string Actor,
    IReadOnlyList<NewStage> Stages,
    int Priority = 0
);

/// <summary>A stage of a run to create.</summary>
/// <param name="Stage">Stage name.</param>
/// <param name="Shard">Which of a fanned-out stage; empty if there is one.</param>
/// <param name="Queue">"cpu" or "gpu".</param>
/// <param name="MaxAttempts">Attempts before it fails for good, at least 1.</param>
/// <param name="Parents">Indexes, in the list of stages, of those it waits for; all smaller than its own.</param>
/// <param name="MemoryGb">Memory that it takes, in GB; null: not counted.</param>
public sealed record NewStage(string Stage, string Shard, string Queue, int MaxAttempts, IReadOnlyList<int> Parents, int? MemoryGb = null);

/// <summary>A stage run that may be claimed now.</summary>
/// <param name="Id">The stage run.</param>
/// <param name="Queue">Queue whose workers serve it.</param>
/// <param name="HangfireJobId">The job that nudged it last; null if none did.</param>
public sealed record ReadyStage(long Id, string Queue, string? HangfireJobId = null);

/// <summary>A run that was created.</summary>
/// <param name="RunId">Its id.</param>
/// <param name="Ready">Stages without parents.</param>
public sealed record CreatedRun(long RunId, IReadOnlyList<ReadyStage> Ready);
