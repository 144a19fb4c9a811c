using System.Globalization;
using Dapper;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>Nudges workers by Hangfire jobs. If it fails, or the process dies, the relay enqueues what was forgotten.</summary>
public sealed partial class StageEnqueuer(ElectraStorage storage, IBackgroundJobClient hangfire, ILogger<StageEnqueuer> logger)
{
    // Thousands of shards become ready at once: what is not marked enqueued yet, other nodes' relays enqueue meanwhile.
    private const int Batch = 50;

    // In its stage's queue: a job that an older version made and somebody requeued in Hangfire's dashboard waits in "default", which no
    // worker serves, and would wait for ever.
    private const string WaitingJobs = $"""
        select waiting.jobid::text from {WorkerHost.HangfireSchema}.jobqueue waiting
        join unnest(@jobs, @queues) nudge (job, queue) on nudge.job = waiting.jobid and nudge.queue = waiting.queue
        where waiting.fetchedat is null
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
                await NudgeAsync(
                    await storage.Reconciler.TakeAsync([.. batch.Select(stage => stage.Id)], cancellationToken),
                    cancellationToken
                );
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
        ReadyStage[] nudged = [.. taken.Where(stage => stage.HangfireJobId is not null)];
        HashSet<string> waiting = [];
        if (nudged.Length > 0)
        {
            long[] jobs = [.. nudged.Select(stage => long.Parse(stage.HangfireJobId!, CultureInfo.InvariantCulture))];
            string[] queues = [.. nudged.Select(stage => stage.Queue)];
            await using var connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
            waiting =
            [
                .. await connection.QueryAsync<string>(
                    new CommandDefinition(WaitingJobs, new { jobs, queues }, cancellationToken: cancellationToken)
                ),
            ];
        }

        await NudgeAsync(
            [.. taken.Where(stage => stage.HangfireJobId is null || !waiting.Contains(stage.HangfireJobId))],
            cancellationToken
        );
    }

    private async Task NudgeAsync(IReadOnlyList<ReadyStage> taken, CancellationToken cancellationToken)
    {
        var nudged = new List<(long StageRunId, string HangfireJobId)>(taken.Count);
        foreach (var stage in taken)
        {
            FaultPoint.Reach("before the nudge");

            // The queue is the job's own, so that it comes back to it when somebody requeues it in Hangfire's dashboard.
            Job job = Job.FromExpression<StageJob>(target => target.Run(stage.Id, CancellationToken.None), stage.Queue);
            nudged.Add((stage.Id, hangfire.Create(job, new EnqueuedState(stage.Queue))));
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
