namespace ElectraPipeline.Storage.ReadModels;

public sealed partial class Queries
{
    private const string DatasetColumns = """
        dataset, version, digest, corpus, vocabulary, shards, manifest::text as manifest, run_id, created_at
        """;

    private const string ModelColumns = """
        m.model, m.version, m.artifact, m.config::text as config, m.metrics::text as metrics, m.dataset, m.dataset_version,
        m.finetuned::text as finetuned, m.code_version, m.run_id, m.source::text as source, m.created_at,
        array(select a.alias from model_alias a where a.model = m.model and a.version = m.version order by a.alias) as aliases
        """;

    /// <summary>Versions of a dataset, or of all datasets if <paramref name="dataset"/> is null: by name, newest first.</summary>
    public Task<IReadOnlyList<DatasetVersionRow>> DatasetVersionsAsync(
        string? dataset = null,
        CancellationToken cancellationToken = default
    ) =>
        ListAsync<DatasetVersionRow>(
            $"""
            select {DatasetColumns} from dataset_version where @dataset::text is null or dataset = @dataset order by dataset, version desc
            """,
            new { dataset },
            cancellationToken
        );

    /// <summary>One version of a dataset; null if there is none.</summary>
    public Task<DatasetVersionRow?> DatasetVersionAsync(string dataset, int version, CancellationToken cancellationToken = default) =>
        SingleAsync<DatasetVersionRow>(
            $"select {DatasetColumns} from dataset_version where dataset = @dataset and version = @version",
            new { dataset, version },
            cancellationToken
        );

    /// <summary>Versions of a model, or of all models if <paramref name="model"/> is null: by name, newest first.</summary>
    public Task<IReadOnlyList<ModelVersionRow>> ModelVersionsAsync(string? model = null, CancellationToken cancellationToken = default) =>
        ListAsync<ModelVersionRow>(
            $"""
            select {ModelColumns} from model_version m where @model::text is null or m.model = @model order by m.model, m.version desc
            """,
            new { model },
            cancellationToken
        );

    /// <summary>Model versions that were trained on a dataset version, newest first.</summary>
    public Task<IReadOnlyList<ModelVersionRow>> ModelsOfAsync(
        string dataset,
        int datasetVersion,
        CancellationToken cancellationToken = default
    ) =>
        ListAsync<ModelVersionRow>(
            $"""
            select {ModelColumns} from model_version m where m.dataset = @dataset and m.dataset_version = @datasetVersion
            order by m.created_at desc
            """,
            new { dataset, datasetVersion },
            cancellationToken
        );

    /// <summary>
    /// One version of a model; null if there is none. <paramref name="versionOrAlias"/>: "3" or an alias, "latest", "champion".
    /// </summary>
    public Task<ModelVersionRow?> ModelVersionAsync(string model, string versionOrAlias, CancellationToken cancellationToken = default) =>
        SingleAsync<ModelVersionRow>(
            $"""
            select {ModelColumns} from model_version m where m.model = @model and (m.version::text = @versionOrAlias
                or m.version = (select a.version from model_alias a where a.model = @model and a.alias = @versionOrAlias))
            """,
            new { model, versionOrAlias },
            cancellationToken
        );

    /// <summary>Schedules by name, each with its newest run.</summary>
    public Task<IReadOnlyList<ScheduleRow>> SchedulesAsync(CancellationToken cancellationToken = default) =>
        ListAsync<ScheduleRow>(
            """
            select s.name, s.cron, s.time_zone, s.config::text as config, s.enabled, s.created_at,
                r.id as last_run_id, r.state as last_run_state, r.created_at as last_run_at
            from schedule s left join lateral (
                select id, state, created_at from run where trigger = 'schedule:' || s.name order by id desc limit 1) r on true
            order by s.name
            """,
            null,
            cancellationToken
        );

    /// <summary>A sealed folder; null if none has this digest.</summary>
    public Task<ArtifactRow?> ArtifactAsync(string digest, CancellationToken cancellationToken = default) =>
        SingleAsync<ArtifactRow>(
            "select digest, kind, bytes, files, created_at from artifact where digest = @digest",
            new { digest },
            cancellationToken
        );
}
