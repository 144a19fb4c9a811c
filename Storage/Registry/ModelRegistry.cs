using ElectraPipeline.Storage.Artifacts;
using Npgsql;

namespace ElectraPipeline.Storage.Registry;

/// <summary>A dataset version to register.</summary>
/// <param name="Dataset">Name.</param>
/// <param name="Digest">SHA-256 over everything that defines it, hex; the same digest is the same version.</param>
/// <param name="Corpus">Artifact digest of the documents.</param>
/// <param name="Vocabulary">Artifact digest of the vocabulary.</param>
/// <param name="Shards">Artifact digests of the shards in order.</param>
/// <param name="Manifest">Inputs, options and counts, JSON.</param>
/// <param name="RunId">Run that made it.</param>
public sealed record NewDatasetVersion(
    string Dataset,
    string Digest,
    string Corpus,
    string Vocabulary,
    IReadOnlyList<string> Shards,
    string Manifest,
    long RunId
);

/// <summary>A model version to register.</summary>
/// <param name="Model">Name.</param>
/// <param name="Artifact">Artifact digest of the pre-trained model.</param>
/// <param name="Config">The run's resolved config, JSON.</param>
/// <param name="Metrics">Held-out metrics by name, a JSON object.</param>
/// <param name="Dataset">Dataset it was trained on; null: it was not trained here.</param>
/// <param name="DatasetVersion">Its version.</param>
/// <param name="Finetuned">Task name -> {"artifact", "result"}, a JSON object.</param>
/// <param name="CodeVersion">Program that trained it.</param>
/// <param name="RunId">Run that made it; null: it was imported.</param>
/// <param name="ChampionMetric">Metric of <paramref name="Metrics"/> by which the alias "champion" moves: more is better.</param>
/// <param name="Source">Where it comes from if not from pre-training in the run, a JSON object; see the migration that made it.</param>
public sealed record NewModelVersion(
    string Model,
    string Artifact,
    string Config,
    string Metrics,
    string? Dataset,
    int? DatasetVersion,
    string Finetuned,
    string CodeVersion,
    long? RunId,
    string ChampionMetric,
    string? Source = null
);

/// <summary>Names and numbers datasets and models.</summary>
/// <remarks>
/// A version number is taken under a lock by name that is held until the transaction ends, so numbers have no gaps and no duplicates
/// however many runs register at once.
/// </remarks>
public sealed class ModelRegistry(NpgsqlDataSource dataSource, ArtifactStore artifacts)
{
    /// <summary>Registers a dataset version, or finds the one with this digest; returns its number.</summary>
    public static async Task<int> AddDatasetAsync(StorageTransaction transaction, NewDatasetVersion dataset)
    {
        await LockNameAsync(transaction, "dataset:" + dataset.Dataset);
        int? known = await transaction.ScalarAsync<int?>(
            "select version from dataset_version where dataset = @Dataset and digest = @Digest",
            dataset
        );
        return known
            ?? await transaction.ScalarAsync<int>(
                """
                insert into dataset_version (dataset, version, digest, corpus, vocabulary, shards, manifest, run_id)
                select @Dataset, coalesce(max(version), 0) + 1, @Digest, @Corpus, @Vocabulary, @Shards, @Manifest::jsonb, @RunId
                from dataset_version where dataset = @Dataset returning version
                """,
                new
                {
                    dataset.Dataset,
                    dataset.Digest,
                    dataset.Corpus,
                    dataset.Vocabulary,
                    Shards = dataset.Shards.ToArray(),
                    dataset.Manifest,
                    dataset.RunId,
                }
            );
    }

    /// <summary>
    /// Registers a model version and moves the alias "latest" to it; "champion" too, if there is none or the new version is better by
    /// the named metric. Returns its number.
    /// </summary>
    public static async Task<int> AddModelAsync(StorageTransaction transaction, NewModelVersion model)
    {
        await LockNameAsync(transaction, "model:" + model.Model);
        int version = await transaction.ScalarAsync<int>(
            """
            insert into model_version
                (model, version, artifact, config, metrics, dataset, dataset_version, finetuned, code_version, run_id, source)
            select @Model, coalesce(max(version), 0) + 1, @Artifact, @Config::jsonb, @Metrics::jsonb, @Dataset, @DatasetVersion,
                @Finetuned::jsonb, @CodeVersion, @RunId, @Source::jsonb
            from model_version where model = @Model returning version
            """,
            model
        );
        await SetAliasAsync(transaction, model.Model, "latest", version);
        bool better = await transaction.ScalarAsync<bool>(
            """
            select coalesce((
                select coalesce((n.metrics ->> @metric)::float8, '-infinity') > coalesce((o.metrics ->> @metric)::float8, '-infinity')
                from model_alias a join model_version o on o.model = a.model and o.version = a.version
                    join model_version n on n.model = a.model and n.version = @version
                where a.model = @model and a.alias = 'champion'), true)
            """,
            new
            {
                metric = model.ChampionMetric,
                version,
                model = model.Model,
            }
        );
        if (better)
        {
            await SetAliasAsync(transaction, model.Model, "champion", version);
        }

        return version;
    }

    /// <summary>Registers a model that no run made, whose artifact has just been sealed; returns the number of its version.</summary>
    /// <exception cref="IOException">The sealed folder was collected meanwhile; it must be sealed again.</exception>
    public async Task<int> ImportModelAsync(
        NewModelVersion model,
        SealedArtifact artifact,
        string actor,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await ArtifactRows.AddAsync(transaction, artifacts, artifact);
        int version = await AddModelAsync(transaction, model with { Artifact = artifact.Digest });
        await transaction.AddEventAsync(null, null, actor, "model imported", $"{model.Model} version {version}");
        await transaction.CommitAsync();
        return version;
    }

    /// <summary>Points an alias to a version.</summary>
    /// <exception cref="StorageException">There is no such version.</exception>
    public async Task SetAliasAsync(string model, string alias, int version, string actor, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await LockNameAsync(transaction, "model:" + model);
        if (
            !await transaction.ScalarAsync<bool>(
                "select exists (select 1 from model_version where model = @model and version = @version)",
                new { model, version }
            )
        )
        {
            throw new StorageException($"there is no version {version} of model '{model}'");
        }

        await SetAliasAsync(transaction, model, alias, version);
        await transaction.AddEventAsync(null, null, actor, "alias set", $"{model}@{alias} -> version {version}");
        await transaction.CommitAsync();
    }

    private static Task SetAliasAsync(StorageTransaction transaction, string model, string alias, int version) =>
        transaction.ExecuteAsync(
            """
            insert into model_alias (model, alias, version) values (@model, @alias, @version)
            on conflict (model, alias) do update set version = excluded.version, updated_at = clock_timestamp()
            """,
            new
            {
                model,
                alias,
                version,
            }
        );

    private static Task LockNameAsync(StorageTransaction transaction, string name) =>
        transaction.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended(@name, 1))", new { name });
}
