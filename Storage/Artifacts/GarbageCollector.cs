using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.Artifacts;

/// <summary>What may go. Nothing that a registered dataset or model version needs ever does.</summary>
public sealed record RetentionPolicy
{
    /// <summary>
    /// Sealed folders that nothing names, and work folders that nobody uses, go at this age; younger ones may be about to be named.
    /// </summary>
    public TimeSpan OrphanAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Checkpoints of runs that ended (failed, cancelled) go at this age; null: they stay, and a retry goes on from them.
    /// </summary>
    public TimeSpan? CheckpointAge { get; init; }

    /// <summary>
    /// Runs that ended, their curves, logs and outputs go at this age unless a version was registered by them; null: they stay.
    /// </summary>
    public TimeSpan? RunAge { get; init; }
}

/// <summary>A sealed folder that was, or would be, removed.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Bytes">Size of its files.</param>
public sealed record CollectedArtifact(string Digest, long Bytes);

/// <summary>What a collection removed, or would remove.</summary>
/// <param name="Runs">Expired runs.</param>
/// <param name="Checkpoints">Checkpoints of ended runs.</param>
/// <param name="Artifacts">Sealed folders.</param>
/// <param name="WorkFolders">Folders under work/ that crashed attempts left.</param>
/// <param name="Uploads">Uploads of large files to the bucket that crashed attempts left unfinished.</param>
/// <param name="Copies">This host's copies of sealed folders in a bucket that were not used lately; they can be fetched again.</param>
public sealed record Collected(
    IReadOnlyList<long> Runs,
    int Checkpoints,
    IReadOnlyList<CollectedArtifact> Artifacts,
    int WorkFolders,
    int Uploads,
    int Copies
)
{
    /// <summary>Size of the sealed folders.</summary>
    public long Bytes => Artifacts.Sum(artifact => artifact.Bytes);
}

/// <summary>
/// Removes what a policy lets go: expired runs, old checkpoints, and sealed folders that nothing names, such as pruned checkpoints and
/// what fenced-off writers sealed. Outputs of stages, datasets and models are named for as long as their rows are.
/// </summary>
public sealed class GarbageCollector(NpgsqlDataSource dataSource, ArtifactStore store)
{
    private static readonly string IsNamed = $"""
        exists (select 1 from stage_cache where output_digest = d.digest)
            or exists (select 1 from stage_run where output_digest = d.digest)
            or exists (select 1 from checkpoint where artifact = d.digest)
            or {ArtifactRows.IsOfVersion("d.digest")}
        """;

    private static readonly string ForgetOutputs = $"""
        delete from stage_cache c where not exists (select 1 from stage_run s where s.output_digest = c.output_digest)
            and not {ArtifactRows.IsOfVersion("c.output_digest")}
        """;

    private const string ForgetRuns = """
        with gone as (
            delete from run r where r.state <> 'running' and r.finished_at < clock_timestamp() - @age
                and not exists (select 1 from dataset_version v where v.run_id = r.id)
                and not exists (select 1 from model_version v where v.run_id = r.id)
            returning r.id)
        select id from gone order by id
        """;

    // What stages that run now may be reading.
    private const string InUse = """
        select p.output_digest from stage_run s join stage_dependency d on d.child = s.id join stage_run p on p.id = d.parent
        where s.state = 'running' and p.output_digest is not null
        union select c.artifact from checkpoint c join stage_run s on s.id = c.stage_run_id where s.state = 'running'
        """;

    private const string ForgetCheckpoints = """
        delete from checkpoint c using stage_run s, run r
        where s.id = c.stage_run_id and r.id = s.run_id and r.state <> 'running' and r.finished_at < clock_timestamp() - @age
        """;

    /// <summary>Removes what <paramref name="policy"/> lets go; a dry run finds the same and removes nothing.</summary>
    public async Task<Collected> CollectAsync(RetentionPolicy policy, bool dryRun = false, CancellationToken cancellationToken = default)
    {
        DateTimeOffset before = DateTimeOffset.UtcNow - policy.OrphanAge;
        IReadOnlyList<long> runs = [];
        int checkpoints = 0;
        IReadOnlyList<string> unnamed;
        IReadOnlyList<string> leased;
        IReadOnlyList<string> inUse;
        await using (var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken))
        {
            if (policy.RunAge is { } runAge)
            {
                runs = await transaction.QueryAsync<long>(ForgetRuns, new { age = runAge });
                await transaction.ExecuteAsync(ForgetOutputs);
            }

            if (policy.CheckpointAge is { } checkpointAge)
            {
                checkpoints = await transaction.ExecuteAsync(ForgetCheckpoints, new { age = checkpointAge });
            }

            unnamed = await transaction.QueryAsync<string>(
                $"select d.digest from unnest(@digests) d (digest) where not ({IsNamed})",
                new { digests = store.DigestsOlderThan(before).ToArray() }
            );
            leased = await transaction.QueryAsync<string>("select id || '.' || lease_epoch from stage_run where state = 'running'");
            inUse = await transaction.QueryAsync<string>(InUse);
            if (!dryRun)
            {
                await transaction.CommitAsync();
            }
        }

        var artifacts = new List<CollectedArtifact>();
        foreach (string digest in unnamed)
        {
            var artifact = new CollectedArtifact(digest, store.BytesOf(digest));
            if (dryRun || await RemoveUnnamedAsync(digest, cancellationToken))
            {
                artifacts.Add(artifact);
            }
        }

        int workFolders = store.DeleteWorkOlderThan(before, leased.ToHashSet().Contains, dryRun);
        int uploads = store.AbortUploadsOlderThan(before, dryRun);
        int copies = store.DeleteCopiesOlderThan(before, inUse.ToHashSet().Contains, dryRun);
        return new Collected(runs, checkpoints, artifacts, workFolders, uploads, copies);
    }

    /// <summary>Removes one sealed folder if nothing names it.</summary>
    /// <remarks>
    /// The row goes before the folder, so that a crash between them leaves a folder for the next collection and not a row without one.
    /// The lock outlives the row's deletion: who seals the same content meanwhile waits until the folder is gone, and seals it anew.
    /// </remarks>
    public async Task<bool> RemoveUnnamedAsync(string digest, CancellationToken cancellationToken = default)
    {
        await using NpgsqlConnection connection = await dataSource.OpenConnectionAsync(cancellationToken);
        if (!await connection.ExecuteScalarAsync<bool>("select pg_try_advisory_lock(hashtextextended(@digest, 0))", new { digest }))
        {
            return false;
        }

        try
        {
            if (await connection.ExecuteScalarAsync<bool>($"select {IsNamed} from (select @digest::text as digest) d", new { digest }))
            {
                return false;
            }

            await connection.ExecuteAsync("delete from artifact where digest = @digest", new { digest });
            FaultPoint.Reach("before the removal of a sealed folder");
            store.Delete(digest);
            return true;
        }
        finally
        {
            // A session that is gone has lost its locks already.
            if (connection.State == System.Data.ConnectionState.Open)
            {
                await connection.ExecuteAsync("select pg_advisory_unlock(hashtextextended(@digest, 0))", new { digest });
            }
        }
    }
}
