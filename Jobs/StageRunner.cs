using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.Training;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>Takes one stage run from claim to publication: the protocol of docs/durability.md.</summary>
public sealed partial class StageRunner(ElectraStorage storage, WorkerIdentity identity, WorkerOptions options, StageEnqueuer enqueuer, ILogger<StageRunner> logger)
{
    /// <summary>
    /// Claims the stage run and does its work; ends quietly if there is nothing to claim. <paramref name="shutdown"/> interrupts the
    /// work, which is then ready again and not counted as an attempt.
    /// </summary>
    public async Task RunAsync(long stageRunId, CancellationToken shutdown)
    {
        var row = await storage.Queries.StageAsync(stageRunId, shutdown);
        if (row is null || row.State != StageState.Ready)
        {
            return;
        }

        Stage stage = Pipeline.Find(row.Stage);
        ResourceSlot? slot = stage.IsTraining ? new ResourceSlot("training@" + identity.Host, options.TrainingSlots) : null;
        var claim = await storage.Leases.ClaimAsync(stageRunId, identity.Id, options.LeaseTtl, slot, shutdown);
        if (claim.Lease is not { } lease)
        {
            return;
        }

        LogClaimed(logger, lease.DisplayName, lease.RunId, lease.Attempt);
        await WorkAsync(stage, lease, shutdown);
    }

    private async Task WorkAsync(Stage stage, StageLease lease, CancellationToken shutdown)
    {
        var reporter = new StageReporter();
        using var heartbeat = new Heartbeat(storage, lease, reporter, options.LeaseTtl);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(shutdown, heartbeat.Lost);
        StageEnd? end;
        try
        {
            var (output, publication) = await ProduceAsync(stage, lease, reporter, stop.Token);
            TryStoreReports(heartbeat);
            end = await DatabasePatience.ExecuteAsync(
                token => storage.Leases.CompleteAsync(lease, output, output.ReusedFrom is null ? publication : null, token), stop.Token);
            LogEnded(logger, lease.DisplayName, lease.RunId, output.ReusedFrom is null ? "succeeded" : "reused");
        }
        catch (Exception e)
        {
            TryStoreReports(heartbeat);
            end = await EndAttemptAsync(lease, e, heartbeat.Lost, shutdown.IsCancellationRequested);
        }
        finally
        {
            storage.Artifacts.DeleteWorkFolder(lease.StageRunId, lease.Epoch);
        }

        if (end is not null)
        {
            // Also at a shutdown: the children are for other workers then.
            await enqueuer.EnqueueAsync(end.Ready, CancellationToken.None);
        }
    }

    private async Task<(StageOutput Output, Func<StorageTransaction, Task<string?>>? Publication)> ProduceAsync(
        Stage stage, StageLease lease, StageReporter reporter, CancellationToken cancellationToken)
    {
        var run = await DatabasePatience.ExecuteAsync(token => storage.Runs.FindAsync(lease.RunId, token), cancellationToken)
            ?? throw new StorageException($"run {lease.RunId} is gone");
        var config = CanonicalJson.Read<RunConfig>(run.Config);
        var inputs = await DatabasePatience.ExecuteAsync(token => storage.Leases.InputsAsync(lease.StageRunId, token), cancellationToken);
        string fingerprint = stage.Fingerprint(config, lease.Shard, inputs);
        var cached = await DatabasePatience.ExecuteAsync(token => FindCachedAsync(stage, lease, fingerprint, token), cancellationToken);
        if (cached is not null && storage.Artifacts.Contains(cached.Digest))
        {
            var known = new SealedArtifact(cached.Digest, cached.Kind, cached.Bytes, cached.Files);
            return (new StageOutput(fingerprint, known, cached.Result, cached.StageRunId), null);
        }

        string workFolder = storage.Artifacts.CreateWorkFolder(lease.StageRunId, lease.Epoch);
        var context = new StageContext(storage, run, config, lease, inputs, fingerprint, workFolder, reporter, options);

        // The stages compute for minutes without a pause; they must not hold the thread that Hangfire renews its job on.
        string? result = await Task.Run(() => stage.RunAsync(context, cancellationToken), CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested();

        // On such a thread too: sealing may upload for minutes.
        var artifact = await Task.Run(() => storage.Artifacts.Seal(context.OutputFolder, stage.Name), CancellationToken.None);
        return (new StageOutput(fingerprint, artifact, result), stage.Publication(context));
    }

    private async Task<CachedOutput?> FindCachedAsync(Stage stage, StageLease lease, string fingerprint, CancellationToken cancellationToken)
    {
        await storage.Leases.SetFingerprintAsync(lease, fingerprint, cancellationToken);
        return await storage.Leases.FindCachedAsync(stage.Name, fingerprint, cancellationToken);
    }

    private async Task<StageEnd?> EndAttemptAsync(StageLease lease, Exception error, CancellationToken leaseLost, bool shutdown)
    {
        if (leaseLost.IsCancellationRequested)
        {
            LogLost(logger, lease.DisplayName, lease.RunId);
            return new StageEnd(await storage.Leases.FreeSlotAsync(lease), RunState.Running);
        }

        if (shutdown && error is OperationCanceledException)
        {
            await DatabasePatience.ExecuteAsync(token => storage.Leases.ReleaseAsync(lease, "the worker shuts down", token), leaseLost);
            return null;
        }

        bool isPermanent = error is PermanentException or InvalidOperationException { Source: "ElectraPipeline.Jobs" };
        string message = error switch
        {
            IOException full when DiskFull.Is(full) => DiskFull.Describe(full, storage.DataFolder).Message,
            PermanentException or StorageException or IOException or Child.StageDiedException => error.Message,
            _ => error.ToString(),
        };
        LogFailed(logger, lease.DisplayName, lease.RunId, lease.Attempt, message);
        TimeSpan backoff = options.Backoff * Math.Pow(2, lease.Attempt - 1);
        return await DatabasePatience.ExecuteAsync(token => storage.Leases.FailAsync(lease, message, isPermanent, backoff, token), leaseLost);
    }

    private void TryStoreReports(Heartbeat heartbeat)
    {
        try
        {
            heartbeat.StoreReports();
        }
        catch (Exception e) when (e is Npgsql.NpgsqlException or TimeoutException)
        {
            LogReportsLost(logger, e.Message);
        }
    }

    [LoggerMessage(1001, LogLevel.Information, "{Stage} of run {RunId} claimed, attempt {Attempt}")]
    private static partial void LogClaimed(ILogger logger, string stage, long runId, int attempt);

    [LoggerMessage(1002, LogLevel.Information, "{Stage} of run {RunId} {Outcome}")]
    private static partial void LogEnded(ILogger logger, string stage, long runId, string outcome);

    [LoggerMessage(1003, LogLevel.Warning, "{Stage} of run {RunId} failed at attempt {Attempt}: {Error}")]
    private static partial void LogFailed(ILogger logger, string stage, long runId, int attempt, string error);

    [LoggerMessage(1004, LogLevel.Warning, "{Stage} of run {RunId}: the lease was lost, the work stops")]
    private static partial void LogLost(ILogger logger, string stage, long runId);

    [LoggerMessage(1005, LogLevel.Warning, "The last reports of a stage were not stored: {Error}")]
    private static partial void LogReportsLost(ILogger logger, string error);
}
