namespace ElectraPipeline.Storage.ReadModels;

/// <summary>A version of a dataset.</summary>
/// <param name="Dataset">Name.</param>
/// <param name="Version">Counts from 1 without gaps.</param>
/// <param name="Digest">SHA-256 over everything that defines it, hex.</param>
/// <param name="Corpus">Artifact digest of the documents.</param>
/// <param name="Vocabulary">Artifact digest of the vocabulary.</param>
/// <param name="Shards">Artifact digests of the shards in order.</param>
/// <param name="Manifest">Inputs, options and counts, JSON.</param>
/// <param name="RunId">Run that made it first.</param>
/// <param name="CreatedAt">When, UTC.</param>
public sealed record DatasetVersionRow(
    string Dataset,
    int Version,
    string Digest,
    string Corpus,
    string Vocabulary,
    string[] Shards,
    string Manifest,
    long RunId,
    DateTimeOffset CreatedAt
);

/// <summary>A version of a model.</summary>
/// <param name="Model">Name.</param>
/// <param name="Version">Counts from 1 without gaps.</param>
/// <param name="Artifact">Artifact digest of the pre-trained model.</param>
/// <param name="Config">The run's resolved config, JSON.</param>
/// <param name="Metrics">Held-out metrics by name, a JSON object.</param>
/// <param name="Dataset">Dataset it was trained on; null: it was not trained here.</param>
/// <param name="DatasetVersion">Its version.</param>
/// <param name="Finetuned">Task name -> {"artifact": digest, "result": {...}}, a JSON object.</param>
/// <param name="CodeVersion">Program that trained it.</param>
/// <param name="RunId">Run that made it; null: it was imported.</param>
/// <param name="Source">Where it comes from if not from pre-training in the run, a JSON object.</param>
/// <param name="CreatedAt">When, UTC.</param>
/// <param name="Aliases">"latest", "champion", ... that point to it.</param>
public sealed record ModelVersionRow(
    string Model,
    int Version,
    string Artifact,
    string Config,
    string Metrics,
    string? Dataset,
    int? DatasetVersion,
    string Finetuned,
    string CodeVersion,
    long? RunId,
    string? Source,
    DateTimeOffset CreatedAt,
    string[] Aliases
);

/// <summary>A schedule: a cron expression that creates runs.</summary>
/// <param name="Name">Unique name; its runs have the trigger "schedule:NAME".</param>
/// <param name="Cron">Five fields, or six with seconds.</param>
/// <param name="TimeZone">IANA name the cron expression is read in.</param>
/// <param name="Config">Config of the runs it makes, JSON, paths absolute.</param>
/// <param name="Enabled">Whether it fires.</param>
/// <param name="CreatedAt">When it was made, UTC.</param>
/// <param name="LastRunId">The newest run it made.</param>
/// <param name="LastRunState">State of that run.</param>
/// <param name="LastRunAt">When that run was created, UTC.</param>
public sealed record ScheduleRow(
    string Name,
    string Cron,
    string TimeZone,
    string Config,
    bool Enabled,
    DateTimeOffset CreatedAt,
    long? LastRunId,
    RunState? LastRunState,
    DateTimeOffset? LastRunAt
);

/// <summary>A sealed folder.</summary>
/// <param name="Digest">SHA-256 of its file list, hex.</param>
/// <param name="Kind">"corpus", "vocabulary", "shards", "model", "checkpoint", ...</param>
/// <param name="Bytes">Size of its files.</param>
/// <param name="Files">Number of its files.</param>
/// <param name="CreatedAt">When it was first published, UTC.</param>
public sealed record ArtifactRow(string Digest, string Kind, long Bytes, int Files, DateTimeOffset CreatedAt);
