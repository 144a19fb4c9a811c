using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using Hangfire;
using Hangfire.States;

namespace ElectraPipeline.Jobs;

/// <summary>Nudges workers by Hangfire jobs. If it fails, or the process dies, the relay enqueues what was forgotten.</summary>
public sealed class StageEnqueuer(ElectraStorage storage, IBackgroundJobClient hangfire)
{
    /// <summary>Enqueues stage runs that became ready, unless somebody has taken them meanwhile.</summary>
    public async Task EnqueueAsync(IReadOnlyList<ReadyStage> ready, CancellationToken cancellationToken = default)
    {
        if (ready.Count > 0)
        {
            await NudgeAsync(await storage.Reconciler.TakeAsync([.. ready.Select(stage => stage.Id)], cancellationToken), cancellationToken);
        }
    }

    /// <summary>Enqueues stage runs that are marked enqueued already.</summary>
    public async Task NudgeAsync(IReadOnlyList<ReadyStage> taken, CancellationToken cancellationToken)
    {
        foreach (var stage in taken)
        {
            string job = hangfire.Create<StageJob>(target => target.Run(stage.Id, CancellationToken.None), new EnqueuedState(stage.Queue));
            await storage.Reconciler.SetHangfireJobAsync(stage.Id, job, cancellationToken);
        }
    }
}
