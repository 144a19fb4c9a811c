using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Jobs;

/// <summary>Decides what becomes of a nudge: which stage run this worker claims, if any.</summary>
public sealed class StageClaims(ElectraStorage storage, WorkerIdentity identity, WorkerOptions options)
{
    private static readonly TimeSpan PausePoll = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Claims the stage run, or one of its queue that is more urgent; null if there is nothing to claim or to take it with. Returns only at
    /// the end of the pause if this worker is paused, so that it fetches no more nudges meanwhile.
    /// </summary>
    public async Task<StageLease?> ClaimAsync(long stageRunId, CancellationToken shutdown)
    {
        var nudged = await storage.Leases.FindNudgedAsync(stageRunId, shutdown);
        if (nudged is not { State: StageState.Ready })
        {
            return null;
        }

        if (
            nudged.MoreUrgent is { } urgent
            && await storage.Leases.FindNudgedAsync(urgent, shutdown) is { } other
            && (await TryAsync(other, shutdown)).Lease is { } first
        )
        {
            // This nudge was the other's; the relay makes another one for the stage run that it was meant for.
            await storage.Leases.ReturnNudgeAsync(stageRunId, shutdown);
            return first;
        }

        ClaimOutcome outcome = await TryAsync(nudged, shutdown);
        if (outcome.IsWorkerPaused)
        {
            await storage.Leases.ReturnNudgeAsync(stageRunId, shutdown);
            await WaitWhilePausedAsync(shutdown);
        }

        return outcome.Lease;
    }

    private async Task<ClaimOutcome> TryAsync(NudgedStage nudged, CancellationToken cancellationToken)
    {
        Stage stage = Pipeline.Find(nudged.Stage);
        if (DiskTrouble.Of(storage.DataFolder) is { } trouble)
        {
            string disk = WaitingForDisk(identity);
            await storage.Leases.SetWaitingAsync(nudged.Id, disk, trouble.Message, cancellationToken);
            return new ClaimOutcome(null, $"waits for {disk}");
        }

        var slots = new List<ResourceSlot>();
        if (stage.IsTraining)
        {
            slots.Add(new ResourceSlot("training@" + identity.Host, options.TrainingSlots));
        }

        if (nudged.MemoryGb is { } memory)
        {
            slots.Add(new ResourceSlot("memory@" + identity.Host, options.MemoryGb, memory));
        }

        return await storage.Leases.ClaimAsync(nudged.Id, identity.Id, options.LeaseTtl, slots, cancellationToken);
    }

    /// <summary>What a stage run waits for whose worker's disk takes no files.</summary>
    internal static string WaitingForDisk(WorkerIdentity identity) => "disk@" + identity.Host;

    private async Task WaitWhilePausedAsync(CancellationToken shutdown)
    {
        while (
            await DatabasePatience.ExecuteAsync(token => storage.Pauses.IsWorkerPausedAsync(identity.Id, identity.Host, token), shutdown)
        )
        {
            await Task.Delay(PausePoll, shutdown);
        }
    }
}
