using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs;

/// <summary>Starts runs and lets failed ones go on.</summary>
public sealed class RunSubmission(ElectraStorage storage, StageEnqueuer enqueuer)
{
    /// <summary>Creates a run with its whole graph and enqueues its first stages; returns its id.</summary>
    /// <param name="config">A resolved config.</param>
    /// <param name="trigger">"user", "demo" or "schedule:NAME".</param>
    /// <param name="actor">Who did it, for the history.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="PermanentException">There is no model of the name that <see cref="RunConfig.From"/> says.</exception>
    public async Task<long> SubmitAsync(RunConfig config, string trigger, string actor, CancellationToken cancellationToken = default)
    {
        if (config.From is { } from)
        {
            // An alias moves; what the run starts from must not.
            var model = await ModelReference.FindAsync(storage.Queries, from, cancellationToken);
            config = config with { From = $"{model.Model}@{model.Version}" };
        }

        string json = CanonicalJson.Write(config);
        var run = new NewRun(
            config.Name,
            json,
            TextDigest.Of([json]),
            trigger,
            CodeVersionOf.ThisProgram,
            actor,
            Pipeline.GraphOf(config),
            config.Priority
        );
        var created = await storage.Runs.CreateAsync(run, cancellationToken);
        await enqueuer.EnqueueAsync(created.Ready, cancellationToken);
        return created.RunId;
    }

    /// <summary>Lets every failed or cancelled stage of a run, and what waits for it, run again.</summary>
    /// <exception cref="StorageException">No such run, or nothing to retry.</exception>
    public async Task RetryRunAsync(long runId, string actor, CancellationToken cancellationToken = default) =>
        await enqueuer.EnqueueAsync(await storage.Runs.RetryRunAsync(runId, actor, cancellationToken), cancellationToken);

    /// <summary>Lets one failed or cancelled stage run, and what waits for it, run again.</summary>
    /// <exception cref="StorageException">No such stage run, or it did not fail.</exception>
    public async Task RetryStageAsync(long stageRunId, string actor, CancellationToken cancellationToken = default) =>
        await enqueuer.EnqueueAsync(await storage.Runs.RetryStageAsync(stageRunId, actor, cancellationToken), cancellationToken);
}
