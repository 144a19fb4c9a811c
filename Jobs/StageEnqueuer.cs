using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>Nudges workers by Hangfire jobs. If it fails, or the process dies, the relay enqueues what was forgotten.</summary>
public sealed partial class StageEnqueuer(ElectraStorage storage, IBackgroundJobClient hangfire, ILogger<StageEnqueuer> logger)
{
    /// <summary>
    /// Enqueues stage runs that became ready, unless somebody has taken them meanwhile. What made them ready is committed, so a nudge
    /// that fails is logged and left to the relay: the caller must not report as failed what was done.
    /// </summary>
    public async Task EnqueueAsync(IReadOnlyList<ReadyStage> ready, CancellationToken cancellationToken = default)
    {
        if (ready.Count == 0)
        {
            return;
        }

        try
        {
            await NudgeAsync(await storage.Reconciler.TakeAsync([.. ready.Select(stage => stage.Id)], cancellationToken), cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogLeftToRelay(logger, ready.Count, e.GetBaseException().Message);
        }
    }

    /// <summary>Enqueues stage runs that are marked enqueued already.</summary>
    public async Task NudgeAsync(IReadOnlyList<ReadyStage> taken, CancellationToken cancellationToken)
    {
        foreach (var stage in taken)
        {
            FaultPoint.Reach("before the nudge");
            string job = hangfire.Create<StageJob>(target => target.Run(stage.Id, CancellationToken.None), new EnqueuedState(stage.Queue));
            FaultPoint.Reach("after the nudge");
            await storage.Reconciler.SetHangfireJobAsync(stage.Id, job, cancellationToken);
        }
    }

    [LoggerMessage(2101, LogLevel.Warning, "{Count} ready stages are left to the relay: {Error}")]
    private static partial void LogLeftToRelay(ILogger logger, int count, string error);
}
