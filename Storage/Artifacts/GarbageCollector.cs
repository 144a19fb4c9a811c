using Npgsql;

namespace ElectraPipeline.Storage.Artifacts;

/// <summary>What a collection removed.</summary>
/// <param name="Artifacts">Sealed folders.</param>
/// <param name="WorkFolders">Folders under work/ that crashed attempts left.</param>
public sealed record Collected(int Artifacts, int WorkFolders);

/// <summary>
/// Removes sealed folders that nothing names: old checkpoints, and what fenced-off writers sealed. Outputs of stages, datasets and
/// models are named for as long as their rows are.
/// </summary>
public sealed class GarbageCollector(NpgsqlDataSource dataSource, ArtifactStore store)
{
    /// <summary>Collects what is older than <paramref name="age"/>; younger folders may be about to be named.</summary>
    public async Task<Collected> CollectAsync(TimeSpan age, CancellationToken cancellationToken = default)
    {
        DateTimeOffset before = DateTimeOffset.UtcNow - age;
        int removed = 0;
        foreach (string digest in store.DigestsOlderThan(before).ToList())
        {
            removed += await RemoveUnnamedAsync(digest, cancellationToken) ? 1 : 0;
        }

        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        var leased = await transaction.QueryAsync<string>("select id || '.' || lease_epoch from stage_run where state = 'running'");
        return new Collected(removed, store.DeleteWorkOlderThan(before, leased.ToHashSet().Contains));
    }

    /// <summary>Removes one sealed folder if nothing names it.</summary>
    public async Task<bool> RemoveUnnamedAsync(string digest, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        if (!await transaction.ScalarAsync<bool>("select pg_try_advisory_xact_lock(hashtextextended(@digest, 0))", new { digest }) ||
            await transaction.ScalarAsync<bool>(IsNamed, new { digest }))
        {
            return false;
        }

        await transaction.ExecuteAsync("delete from artifact where digest = @digest", new { digest });
        store.Delete(digest);
        await transaction.CommitAsync();
        return true;
    }

    private const string IsNamed = """
        select exists (select 1 from stage_cache where output_digest = @digest)
            or exists (select 1 from stage_run where output_digest = @digest)
            or exists (select 1 from checkpoint where artifact = @digest)
            or exists (select 1 from dataset_version where @digest in (corpus, vocabulary) or @digest = any(shards))
            or exists (select 1 from model_version where artifact = @digest or finetuned::text like '%' || @digest || '%')
        """;
}
