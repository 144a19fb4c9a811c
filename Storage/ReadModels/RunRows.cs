using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Storage.ReadModels;

/// <summary>Which runs <see cref="Queries.RunsAsync"/> lists: newest first, all conditions at once.</summary>
public sealed record RunFilter
{
    /// <summary>Only runs in this state; null: any.</summary>
    public RunState? State { get; init; }

    /// <summary>Only runs of this name; null: any.</summary>
    public string? Name { get; init; }

    /// <summary>Only runs with a smaller id (the last of the page before); null: from the newest.</summary>
    public long? Before { get; init; }

    /// <summary>Rows at most.</summary>
    public int Limit { get; init; } = 50;
}

/// <summary>A line of the list of runs.</summary>
/// <param name="Id">The run.</param>
/// <param name="Name">Name of the dataset and model it makes.</param>
/// <param name="Trigger">"user", "demo" or "schedule:NAME".</param>
/// <param name="State">State of the run.</param>
/// <param name="CodeVersion">Version of the program that created it.</param>
/// <param name="CreatedAt">When it was created, UTC.</param>
/// <param name="FinishedAt">When it reached its end state, UTC; null while it runs.</param>
/// <param name="Stages">Stage runs in its graph.</param>
/// <param name="StagesDone">Of them succeeded or reused.</param>
/// <param name="StagesRunning">Of them running.</param>
/// <param name="StagesFailed">Of them failed.</param>
/// <param name="Error">Error of the first failed stage; null if none failed.</param>
/// <param name="IsPaused">Whether the run is paused.</param>
public sealed record RunSummary(
    long Id,
    string Name,
    string Trigger,
    RunState State,
    string CodeVersion,
    DateTimeOffset CreatedAt,
    DateTimeOffset? FinishedAt,
    int Stages,
    int StagesDone,
    int StagesRunning,
    int StagesFailed,
    string? Error,
    bool IsPaused
);

/// <summary>A run with its config and its graph.</summary>
/// <param name="Summary">The line of the list.</param>
/// <param name="Config">The resolved config, JSON.</param>
/// <param name="ConfigDigest">SHA-256 of the canonical config, hex.</param>
/// <param name="Stages">Its stage runs in order of display.</param>
/// <param name="Dependencies">Edges of the graph.</param>
public sealed record RunDetail(
    RunSummary Summary,
    string Config,
    string ConfigDigest,
    IReadOnlyList<StageRow> Stages,
    IReadOnlyList<DependencyRow> Dependencies
);

/// <summary>An edge of a run's graph: <paramref name="Child"/> waits for <paramref name="Parent"/>; both are stage run ids.</summary>
public sealed record DependencyRow(long Parent, long Child);

/// <summary>A stage of a run.</summary>
/// <param name="Id">The stage run.</param>
/// <param name="RunId">Its run.</param>
/// <param name="Stage">Stage name: "ingest", "tokenize", ...</param>
/// <param name="Shard">Which of a fanned-out stage ("0003", a fine-tuning task's name); empty if there is one.</param>
/// <param name="Ordinal">Order of display in the run.</param>
/// <param name="Queue">"cpu" or "gpu".</param>
/// <param name="State">State.</param>
/// <param name="PendingDependencies">Parents that are not done.</param>
/// <param name="Attempt">Attempts begun; interrupted ones are not counted.</param>
/// <param name="MaxAttempts">Attempts allowed.</param>
/// <param name="LeaseEpoch">Fencing token: how often it was claimed.</param>
/// <param name="LeaseOwner">Worker that holds it; null unless running.</param>
/// <param name="LeaseUntil">When the lease ends unless renewed.</param>
/// <param name="AvailableAt">Not claimed before (backoff).</param>
/// <param name="WaitingFor">Resource slot it waits for, "training@HOST"; null if none.</param>
/// <param name="HangfireJobId">The newest Hangfire job that nudged it.</param>
/// <param name="Fingerprint">SHA-256 over stage, code version, options and inputs, hex; null before the first attempt.</param>
/// <param name="OutputDigest">Artifact it published.</param>
/// <param name="Result">Small facts for people, a JSON object.</param>
/// <param name="ReusedFromRun">Run whose output was taken; null unless reused.</param>
/// <param name="Error">Last error, kept while it waits for the next attempt.</param>
/// <param name="ErrorKind">"permanent", "retryable", "died", or "disk" while it waits for a disk that takes no files.</param>
/// <param name="ProgressDone">Work done, in <paramref name="ProgressUnit"/>.</param>
/// <param name="ProgressTotal">Work in all.</param>
/// <param name="ProgressUnit">"steps", "documents", "bytes".</param>
/// <param name="StartedAt">Start of the newest attempt.</param>
/// <param name="FinishedAt">End state reached.</param>
/// <param name="Priority">Of the ready stages of a queue the greater is claimed first.</param>
/// <param name="Hold">Whose pause holds it back while it is ready: "the queue cpu is paused by user:ada"; null: none.</param>
public sealed record StageRow(
    long Id,
    long RunId,
    string Stage,
    string Shard,
    int Ordinal,
    string Queue,
    StageState State,
    int PendingDependencies,
    int Attempt,
    int MaxAttempts,
    long LeaseEpoch,
    string? LeaseOwner,
    DateTimeOffset? LeaseUntil,
    DateTimeOffset AvailableAt,
    string? WaitingFor,
    string? HangfireJobId,
    string? Fingerprint,
    string? OutputDigest,
    string? Result,
    long? ReusedFromRun,
    string? Error,
    string? ErrorKind,
    long? ProgressDone,
    long? ProgressTotal,
    string? ProgressUnit,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    int Priority,
    string? Hold
)
{
    /// <summary>"tokenize[0003]", or "ingest" where there is no shard.</summary>
    public string DisplayName => Shard.Length == 0 ? Stage : $"{Stage}[{Shard}]";
}

/// <summary>A line of a stage's log.</summary>
/// <param name="Id">Grows with time; give it to <see cref="Queries.LogAfterAsync"/> to read on.</param>
/// <param name="Attempt">Attempt that wrote it.</param>
/// <param name="RecordedAt">When it was stored, UTC.</param>
/// <param name="Line">The text.</param>
public sealed record LogLine(long Id, int Attempt, DateTimeOffset RecordedAt, string Line);

/// <summary>Who did what.</summary>
/// <param name="Id">Grows with time.</param>
/// <param name="RunId">The run; null if it was about none or the run is gone.</param>
/// <param name="StageRunId">The stage run, if it was about one.</param>
/// <param name="Stage">Its display name, "tokenize[0003]".</param>
/// <param name="Actor">"user:NAME", "worker:ID", "schedule:NAME" or "reconciler".</param>
/// <param name="Action">"run created", "claimed", "succeeded", "retry", ...</param>
/// <param name="Detail">More for people.</param>
/// <param name="RecordedAt">When, UTC.</param>
public sealed record EventRow(
    long Id,
    long? RunId,
    long? StageRunId,
    string? Stage,
    string Actor,
    string Action,
    string? Detail,
    DateTimeOffset RecordedAt
);

/// <summary>A checkpoint that a stage can go on from.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Epoch">Lease epoch that published it.</param>
/// <param name="Fingerprint">The work it belongs to.</param>
/// <param name="Artifact">Digest of the sealed folder.</param>
/// <param name="Bytes">Size of the folder's files.</param>
/// <param name="CreatedAt">When it was published, UTC.</param>
public sealed record CheckpointRow(long Step, long Epoch, string Fingerprint, string Artifact, long Bytes, DateTimeOffset CreatedAt);

/// <summary>A worker process.</summary>
/// <param name="Id">"HOST:PID:START".</param>
/// <param name="Host">Machine.</param>
/// <param name="Queues">Queues it serves.</param>
/// <param name="CodeVersion">Its program's version.</param>
/// <param name="StartedAt">When it registered, UTC.</param>
/// <param name="SeenAt">Its last sign of life, UTC; renewed every few seconds.</param>
/// <param name="Running">Stage runs it holds.</param>
/// <param name="IsPaused">Whether this process is paused.</param>
/// <param name="IsHostPaused">Whether all workers of its host are.</param>
public sealed record WorkerRow(
    string Id,
    string Host,
    string[] Queues,
    string CodeVersion,
    DateTimeOffset StartedAt,
    DateTimeOffset SeenAt,
    int Running,
    bool IsPaused,
    bool IsHostPaused
);

/// <summary>A pause that stands.</summary>
/// <param name="Scope">Kind of what is paused.</param>
/// <param name="Subject">Id of the run, name of the queue, id of the worker, or name of the host.</param>
/// <param name="Interrupts">Whether stages at work were given back.</param>
/// <param name="Actor">Who paused it.</param>
/// <param name="CreatedAt">When, UTC.</param>
public sealed record PauseRow(PauseScope Scope, string Subject, bool Interrupts, string Actor, DateTimeOffset CreatedAt);

/// <summary>What waits and runs, over all runs.</summary>
/// <param name="RunsRunning">Runs not at their end.</param>
/// <param name="StagesReady">Stage runs that wait for a worker.</param>
/// <param name="StagesRunning">Stage runs that are leased.</param>
/// <param name="WorkersAlive">Workers seen in the last 30 s.</param>
public sealed record Overview(int RunsRunning, int StagesReady, int StagesRunning, int WorkersAlive);
