using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Dashboard.Api;

/// <summary>
/// Retry, cancel, pause and resume, for the forms of the pages and for the API alike. Checks that the run exists; storage checks the rest.
/// </summary>
internal sealed class RunActions(RunStore runs, PauseStore pauses, Queries queries, ILogger<RunActions> logger)
{
    /// <summary>
    /// Runs the failed or cancelled stages again: one with what waits for it, or all if <paramref name="stage"/> is null.
    /// </summary>
    public async Task<ActionOutcome> RetryAsync(HttpContext context, long runId, long? stage)
    {
        string actor = Access.Actor(context);
        if (stage is { } id && (await queries.StageAsync(id, context.RequestAborted))?.RunId != runId)
        {
            return ActionOutcome.Missing($"run {runId} has no stage {id}");
        }

        return await TryAsync(
            runId,
            actor,
            "retry",
            () =>
                stage is { } stageRunId
                    ? runs.RetryStageAsync(stageRunId, actor, CancellationToken.None)
                    : runs.RetryRunAsync(runId, actor, CancellationToken.None)
        );
    }

    /// <summary>Stops a run.</summary>
    public async Task<ActionOutcome> CancelAsync(HttpContext context, long runId)
    {
        string actor = Access.Actor(context);
        bool cancelled = false;
        ActionOutcome outcome = await TryAsync(
            runId,
            actor,
            "cancel",
            async () => cancelled = await runs.CancelAsync(runId, actor, CancellationToken.None)
        );
        return outcome.Error is null && !cancelled ? ActionOutcome.Refused($"run {runId} was at its end already") : outcome;
    }

    /// <summary>Holds work back; what is held back already stays so.</summary>
    public async Task<ActionOutcome> PauseAsync(HttpContext context, PauseScope scope, string subject, bool now)
    {
        string actor = Access.Actor(context);
        return await TryAsync(
            actor,
            "pause",
            Name(scope, subject),
            () => pauses.PauseAsync(scope, subject, now, actor, CancellationToken.None)
        );
    }

    /// <summary>Lets work go on; what is not held back goes on anyway.</summary>
    public async Task<ActionOutcome> ResumeAsync(HttpContext context, PauseScope scope, string subject)
    {
        string actor = Access.Actor(context);
        return await TryAsync(
            actor,
            "resume",
            Name(scope, subject),
            () => pauses.ResumeAsync(scope, subject, actor, CancellationToken.None)
        );
    }

    private static string Name(PauseScope scope, string subject) => $"{PauseStore.Word(scope)} {subject}";

    private async Task<ActionOutcome> TryAsync(long runId, string actor, string action, Func<Task> work) =>
        await queries.RunAsync(runId) is null
            ? ActionOutcome.Missing($"there is no run {runId}")
            : await TryAsync(actor, action, $"run {runId}", work);

    private async Task<ActionOutcome> TryAsync(string actor, string action, string subject, Func<Task> work)
    {
        DashboardLog.ActionAsked(logger, actor, action, subject);
        try
        {
            await work();
            return ActionOutcome.Done;
        }
        catch (StorageException exception)
        {
            return ActionOutcome.Refused(exception.Message);
        }
    }
}

/// <summary>What became of a click.</summary>
/// <param name="Error">Why nothing was done; null if it was.</param>
/// <param name="StatusCode">The matching status: 404 for what does not exist, 409 for what its state forbids.</param>
internal sealed record ActionOutcome(string? Error, int StatusCode)
{
    public static ActionOutcome Done { get; } = new(null, StatusCodes.Status200OK);

    public static ActionOutcome Missing(string error) => new(error, StatusCodes.Status404NotFound);

    public static ActionOutcome Refused(string error) => new(error, StatusCodes.Status409Conflict);
}
