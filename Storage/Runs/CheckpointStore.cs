using Dapper;
using ElectraPipeline.Storage.Artifacts;
using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>A checkpoint to go on from.</summary>
/// <param name="StageRunId">Stage run that wrote it.</param>
/// <param name="RunId">Its run.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Artifact">Digest of the sealed folder.</param>
public sealed record StoredCheckpoint(long StageRunId, long RunId, long Step, string Artifact);

/// <summary>Checkpoints of stage runs that are not done.</summary>
public sealed class CheckpointStore(NpgsqlDataSource dataSource, ArtifactStore artifacts, GarbageCollector collector)
{
    /// <summary>
    /// Publishes a checkpoint if the lease still holds, and removes all but the newest <paramref name="keep"/>. False: the lease was
    /// lost, and nothing was published.
    /// </summary>
    /// <param name="lease">The lease.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="fingerprint">Fingerprint of the work.</param>
    /// <param name="artifact">The sealed checkpoint.</param>
    /// <param name="keep">Checkpoints of this stage run to keep.</param>
    /// <param name="retries">
    /// Attempts still allowed after this one when the checkpoint is a step forward: weeks of training on machines that die now and
    /// then must not run out of attempts, and one that dies at the same step each time must.
    /// </param>
    /// <param name="cancellationToken">Ends the attempt; a repetition is safe.</param>
    public async Task<bool> PublishAsync(
        StageLease lease,
        long step,
        string fingerprint,
        SealedArtifact artifact,
        int keep,
        int retries,
        CancellationToken cancellationToken = default
    )
    {
        IReadOnlyList<string> pruned;
        await using (var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken))
        {
            bool held = await transaction.ScalarAsync<bool>(
                """
                select exists (
                    select 1 from stage_run where id = @StageRunId and lease_epoch = @Epoch and state = 'running' for no key update)
                """,
                new { lease.StageRunId, lease.Epoch }
            );
            if (!held)
            {
                return false;
            }

            await ArtifactRows.AddAsync(transaction, artifacts, artifact);
            pruned = await transaction.QueryAsync<string>(
                """
                update stage_run set max_attempts = greatest(max_attempts, attempt + @retries)
                where id = @StageRunId and @step > coalesce((select max(step) from checkpoint where stage_run_id = @StageRunId), 0);
                insert into checkpoint (stage_run_id, step, epoch, fingerprint, artifact)
                values (@StageRunId, @step, @Epoch, @fingerprint, @Digest)
                on conflict (stage_run_id, step) do update set epoch = excluded.epoch, fingerprint = excluded.fingerprint,
                    artifact = excluded.artifact, created_at = clock_timestamp();
                delete from checkpoint where stage_run_id = @StageRunId and step not in (
                    select step from checkpoint where stage_run_id = @StageRunId order by step desc limit @keep)
                returning artifact;
                """,
                new
                {
                    lease.StageRunId,
                    lease.Epoch,
                    step,
                    fingerprint,
                    artifact.Digest,
                    keep,
                    retries,
                }
            );
            await transaction.CommitAsync();
        }

        foreach (string digest in pruned)
        {
            await collector.RemoveUnnamedAsync(digest, cancellationToken);
        }

        return true;
    }

    /// <summary>Steps of a stage run's newest checkpoint of other work than this, which cannot be continued; null: there is none.</summary>
    public async Task<long?> FindOtherAsync(long stageRunId, string fingerprint, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<long?>(
            new CommandDefinition(
                "select max(step) from checkpoint where stage_run_id = @stageRunId and fingerprint <> @fingerprint",
                new { stageRunId, fingerprint },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>
    /// The checkpoint with the most steps of this work, by whichever run, so that a cancelled run's work is not lost to the next one
    /// with the same config. Null: none, or its files are gone.
    /// </summary>
    public async Task<StoredCheckpoint?> FindNewestAsync(string stage, string fingerprint, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var found = await connection.QueryAsync<StoredCheckpoint>(
            new CommandDefinition(
                """
                select c.stage_run_id, s.run_id, c.step, c.artifact from checkpoint c join stage_run s on s.id = c.stage_run_id
                where c.fingerprint = @fingerprint and s.stage = @stage order by c.step desc, c.created_at desc
                """,
                new { stage, fingerprint },
                cancellationToken: cancellationToken
            )
        );
        return found.FirstOrDefault(checkpoint => artifacts.Contains(checkpoint.Artifact));
    }
}
