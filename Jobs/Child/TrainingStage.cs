using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Jobs.Child;

/// <summary>What <see cref="StageProcess"/> needs of a stage whose work is done in a child process.</summary>
internal interface IChildWork
{
    /// <summary>Does the work of an order; returns the result as JSON.</summary>
    string RunInChild(string request, ChildReporter reporter, CancellationToken cancellationToken);
}

/// <summary>
/// A stage that uses LibTorch. LibTorch can end its process and gives memory back only at exit, so the work is done in a child process
/// of the worker; the worker keeps the lease, publishes the checkpoints, and turns the child's death into a plain error.
/// </summary>
/// <typeparam name="TRequest">What the work reads and writes; JSON.</typeparam>
/// <typeparam name="TResult">Small facts for people; JSON.</typeparam>
public abstract class TrainingStage<TRequest, TResult>(string name, int codeVersion) : Stage(name, codeVersion), IChildWork
{
    /// <inheritdoc/>
    public override bool IsTraining => true;

    /// <inheritdoc/>
    public override string Queue(RunConfig config) => config.Pretrain.Device == "cuda" ? "gpu" : "cpu";

    /// <summary>Published checkpoints kept until the stage is done.</summary>
    protected virtual int KeepCheckpoints(RunConfig config) => 2;

    /// <summary>The order of work; <paramref name="checkpoint"/> is the folder to go on from, null for a fresh start.</summary>
    protected abstract TRequest RequestOf(StageContext context, string workFolder, string? checkpoint);

    /// <summary>Does the work, in the child.</summary>
    protected abstract TResult RunInChild(TRequest request, ChildReporter reporter, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public override async Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        var found = await DatabasePatience.ExecuteAsync(
            token => context.Storage.Checkpoints.FindNewestAsync(Name, context.Fingerprint, token),
            cancellationToken
        );
        if (found is not null)
        {
            context.Reporter.Log($"continues from the checkpoint at step {found.Step:N0} (stage run {found.StageRunId})");
        }
        else if (await FindOtherAsync(context, cancellationToken) is { } other)
        {
            context.Reporter.Log(
                $"starts anew: the checkpoint at step {other:N0} is of other work, as the program or a file that the config names "
                    + "has changed"
            );
        }

        string childFolder = Directory.CreateDirectory(Path.Combine(context.WorkFolder, "child")).FullName;
        var request = RequestOf(context, childFolder, found is null ? null : context.Storage.Artifacts.Fetch(found.Artifact));
        var order = new StageOrder(Name, CanonicalJson.Write(request));
        return await new ChildProcess(context.Worker).RunAsync(
            order,
            context.WorkFolder,
            context.Reporter,
            (step, folder) => PublishAsync(context, step, folder, cancellationToken),
            cancellationToken
        );
    }

    string IChildWork.RunInChild(string request, ChildReporter reporter, CancellationToken cancellationToken) =>
        CanonicalJson.Write(RunInChild(CanonicalJson.Read<TRequest>(request), reporter, cancellationToken));

    private static Task<long?> FindOtherAsync(StageContext context, CancellationToken cancellationToken) =>
        DatabasePatience.ExecuteAsync(
            token => context.Storage.Checkpoints.FindOtherAsync(context.Lease.StageRunId, context.Fingerprint, token),
            cancellationToken
        );

    // Sealing moves the folder away, and the child is told so by nothing: it owns no checkpoint that it has reported.
    private async Task PublishAsync(StageContext context, long step, string folder, CancellationToken cancellationToken)
    {
        SealedArtifact sealedCheckpoint = context.Storage.Artifacts.Seal(folder, "checkpoint");
        StageLease lease = context.Lease;
        bool held = await DatabasePatience.ExecuteAsync(
            token =>
                context.Storage.Checkpoints.PublishAsync(
                    lease,
                    step,
                    context.Fingerprint,
                    sealedCheckpoint,
                    KeepCheckpoints(context.Config),
                    context.Config.LimitsOf(Name).Attempts - 1,
                    token
                ),
            cancellationToken
        );
        context.Reporter.Log(held ? $"checkpoint at step {step:N0}" : $"checkpoint at step {step:N0} not published: the lease was lost");
    }
}
