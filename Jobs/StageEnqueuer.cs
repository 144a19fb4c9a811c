using Dapper;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>Nudges workers by Hangfire jobs. If it fails, or the process dies, the relay enqueues what was forgotten.</summary>
public sealed partial class StageEnqueuer(ElectraStorage storage, IBackgroundJobClient hangfire, ILogger<StageEnqueuer> logger)
{
    // Thousands of shards become ready at once: what is not marked enqueued yet, other nodes' relays enqueue meanwhile.
    private const int Batch = 50;

    private const string WaitingJobs = $"""
        select jobid::text from {WorkerHost.HangfireSchema}.jobqueue where jobid = any(@jobs) and fetchedat is null
        """;

    /// <summary>
    /// Enqueues stage runs that became ready, unless somebody has taken them meanwhile. What made them ready is committed, so a nudge
    /// that fails is logged and left to the relay: the caller must not report as failed what was done.
    /// </summary>
    public async Task EnqueueAsync(IReadOnlyList<ReadyStage> ready, CancellationToken cancellationToken = default)
    {
        try
        {
            foreach (ReadyStage[] batch in ready.Chunk(Batch))
            {
                await NudgeAsync(await storage.Reconciler.TakeAsync([.. batch.Select(stage => stage.Id)], cancellationToken), cancellationToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogLeftToRelay(logger, ready.Count, e.GetBaseException().Message);
        }
    }

    /// <summary>
    /// Enqueues stage runs that were marked enqueued long ago and are marked so again, except those whose nudge still waits in its queue:
    /// behind thousands of others it is late, not lost, and a second one would only make the queue longer.
    /// </summary>
    public async Task NudgeAgainAsync(IReadOnlyList<ReadyStage> taken, CancellationToken cancellationToken)
    {
        long[] jobs = [.. taken.Select(stage => stage.HangfireJobId).OfType<string>().Select(long.Parse)];
        HashSet<string> waiting = [];
        if (jobs.Length > 0)
        {
            await using var connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
            waiting = [.. await connection.QueryAsync<string>(new CommandDefinition(WaitingJobs, new { jobs }, cancellationToken: cancellationToken))];
        }

        await NudgeAsync([.. taken.Where(stage => stage.HangfireJobId is null || !waiting.Contains(stage.HangfireJobId))], cancellationToken);
    }

    private async Task NudgeAsync(IReadOnlyList<ReadyStage> taken, CancellationToken cancellationToken)
    {
        var nudged = new List<(long StageRunId, string HangfireJobId)>(taken.Count);
        foreach (var stage in taken)
        {
            FaultPoint.Reach("before the nudge");
            nudged.Add((stage.Id, hangfire.Create<StageJob>(target => target.Run(stage.Id, CancellationToken.None), new EnqueuedState(stage.Queue))));
            FaultPoint.Reach("after the nudge");
        }

        if (nudged.Count > 0)
        {
            await storage.Reconciler.SetHangfireJobsAsync(nudged, cancellationToken);
        }
    }

    [LoggerMessage(2101, LogLevel.Warning, "{Count} ready stages are left to the relay: {Error}")]
    private static partial void LogLeftToRelay(ILogger logger, int count, string error);
}
