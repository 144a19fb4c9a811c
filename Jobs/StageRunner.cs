using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.Training;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>Takes one stage run from claim to publication: the protocol of docs/durability.md.</summary>
public sealed partial class StageRunner(
    ElectraStorage storage,
    StageClaims claims,
    WorkerIdentity identity,
    WorkerOptions options,
    StageEnqueuer enqueuer,
    ILogger<StageRunner> logger
)
{
    /// <summary>
    /// Claims the stage run, or a more urgent one, and does its work; ends quietly if there is nothing to claim. <paramref
    /// name="shutdown"/> interrupts the work, which is then ready again and not counted as an attempt.
    /// </summary>
    public async Task RunAsync(long stageRunId, CancellationToken shutdown)
    {
        if (await claims.ClaimAsync(stageRunId, shutdown) is { } lease)
        {
            LogClaimed(logger, lease.DisplayName, lease.RunId, lease.Attempt);
            await WorkAsync(Pipeline.Find(lease.Stage), lease, shutdown);
        }
    }

    private async Task WorkAsync(Stage stage, StageLease lease, CancellationToken shutdown)
    {
        var reporter = new StageReporter();
        using var heartbeat = new Heartbeat(storage, lease, reporter, options.LeaseTtl);
        using var attempt = new Attempt(lease, heartbeat, shutdown);
        StageEnd? end;
        try
        {
            var (output, publication) = await ProduceAsync(stage, attempt, reporter);
            TryStoreReports(heartbeat);
            end = await DatabasePatience.ExecuteAsync(
                token => storage.Leases.CompleteAsync(lease, output, output.ReusedFrom is null ? publication : null, token),
                attempt.Stop
            );
            LogEnded(logger, lease.DisplayName, lease.RunId, output.ReusedFrom is null ? "succeeded" : "reused");
        }
        catch (Exception e)
        {
            TryStoreReports(heartbeat);
            end = await EndAttemptAsync(attempt, e);
        }
        finally
        {
            TryDeleteWorkFolder(lease);
        }

        if (end is not null)
        {
            // Also at a shutdown: the children are for other workers then.
            await enqueuer.EnqueueAsync(end.Ready, CancellationToken.None);
        }
    }

    private async Task<(StageOutput Output, Func<StorageTransaction, Task<string?>>? Publication)> ProduceAsync(
        Stage stage,
        Attempt attempt,
        StageReporter reporter
    )
    {
        StageLease lease = attempt.Lease;
        var run =
            await DatabasePatience.ExecuteAsync(token => storage.Runs.FindAsync(lease.RunId, token), attempt.Stop)
            ?? throw new StorageException($"run {lease.RunId} is gone");
        var config = CanonicalJson.Read<RunConfig>(run.Config);
        attempt.Limit(config.LimitsOf(stage.Name));
        var inputs = await DatabasePatience.ExecuteAsync(token => storage.Leases.InputsAsync(lease.StageRunId, token), attempt.Stop);
        RefuseForbiddenFiles(stage, config);
        var files = new ConfigFiles(stage, config, options.InputFolders);
        string fingerprint = stage.Fingerprint(config, lease.Shard, files, inputs);
        var cached = await DatabasePatience.ExecuteAsync(token => FindCachedAsync(stage, lease, fingerprint, token), attempt.Stop);
        if (cached is not null && storage.Artifacts.Contains(cached.Digest))
        {
            var known = new SealedArtifact(cached.Digest, cached.Kind, cached.Bytes, cached.Files);
            return (new StageOutput(fingerprint, known, cached.Result, cached.StageRunId), null);
        }

        string workFolder = storage.Artifacts.CreateWorkFolder(lease.StageRunId, lease.Epoch);
        var context = new StageContext(storage, run, config, lease, files, inputs, fingerprint, workFolder, reporter, options);

        // The stages compute for minutes without a pause; they must not hold the thread that Hangfire renews its job on.
        string? result = await Task.Run(() => stage.RunAsync(context, attempt.Stop), CancellationToken.None);
        attempt.Stop.ThrowIfCancellationRequested();

        // On such a thread too: sealing may upload for minutes.
        var artifact = await Task.Run(() => storage.Artifacts.Seal(context.OutputFolder, stage.Name), CancellationToken.None);
        return (new StageOutput(fingerprint, artifact, result), stage.Publication(context));
    }

    // Again here, where they are opened: the config may be older than the rule, and a link may have changed since.
    private void RefuseForbiddenFiles(Stage stage, RunConfig config)
    {
        if (ConfigPaths.FaultsOf(config, folder: null, config.Inputs, options.InputFolders, stage.Opens) is { Count: > 0 } faults)
        {
            throw new PermanentException(string.Join('\n', faults) + ", and retry");
        }
    }

    private async Task<CachedOutput?> FindCachedAsync(
        Stage stage,
        StageLease lease,
        string fingerprint,
        CancellationToken cancellationToken
    )
    {
        await storage.Leases.SetFingerprintAsync(lease, fingerprint, cancellationToken);
        return await storage.Leases.FindCachedAsync(stage.Name, fingerprint, cancellationToken);
    }

    private async Task<StageEnd?> EndAttemptAsync(Attempt attempt, Exception error)
    {
        StageLease lease = attempt.Lease;
        CancellationToken lost = attempt.Lost;
        if (lost.IsCancellationRequested)
        {
            LogLost(logger, lease.DisplayName, lease.RunId);
            return new StageEnd(await storage.Leases.FreeSlotAsync(lease), RunState.Running);
        }

        if (error is OperationCanceledException && attempt.Interruption is { } reason)
        {
            LogInterrupted(logger, lease.DisplayName, lease.RunId, reason);
            await DatabasePatience.ExecuteAsync(token => storage.Leases.ReleaseAsync(lease, reason, token), lost);
            return null;
        }

        if (DiskTrouble.In(error, storage.DataFolder) is { } trouble)
        {
            // As long as the attempt took: one that needs more room than there is must not keep the machine busy.
            TimeSpan pause = attempt.Elapsed > options.DiskPause ? attempt.Elapsed : options.DiskPause;
            LogHeld(logger, lease.DisplayName, lease.RunId, trouble.Message);
            await DatabasePatience.ExecuteAsync(
                token => storage.Leases.HoldAsync(lease, StageClaims.WaitingForDisk(identity), trouble.Message, pause, token),
                lost
            );
            return null;
        }

        bool isPermanent = error is PermanentException or InvalidOperationException { Source: "ElectraPipeline.Jobs" };
        string message = error switch
        {
            OperationCanceledException when attempt.TimeLimitReached is { } limit => limit,
            PermanentException or StorageException or IOException or Child.StageDiedException => error.Message,
            _ => error.ToString(),
        };
        LogFailed(logger, lease.DisplayName, lease.RunId, lease.Attempt, message);
        TimeSpan backoff = attempt.BackoffAfter(options.Backoff);
        return await DatabasePatience.ExecuteAsync(token => storage.Leases.FailAsync(lease, message, isPermanent, backoff, token), lost);
    }

    // A disk that takes no files gives none up either; the collection of garbage removes the folder later.
    private void TryDeleteWorkFolder(StageLease lease)
    {
        try
        {
            storage.Artifacts.DeleteWorkFolder(lease.StageRunId, lease.Epoch);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogLeft(logger, lease.DisplayName, lease.RunId, e.Message);
        }
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

    [LoggerMessage(1006, LogLevel.Information, "{Stage} of run {RunId} is given back: {Reason}")]
    private static partial void LogInterrupted(ILogger logger, string stage, long runId, string reason);

    [LoggerMessage(1007, LogLevel.Warning, "{Stage} of run {RunId} is held back: {Error}")]
    private static partial void LogHeld(ILogger logger, string stage, long runId, string error);

    [LoggerMessage(1008, LogLevel.Warning, "{Stage} of run {RunId}: its work folder stays for now: {Error}")]
    private static partial void LogLeft(ILogger logger, string stage, long runId, string error);

    [LoggerMessage(1005, LogLevel.Warning, "The last reports of a stage were not stored: {Error}")]
    private static partial void LogReportsLost(ILogger logger, string error);
}
