using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>States explained: what is going on, and what comes next.</summary>
internal static class StageWords
{
    public static string Lower(Enum state) => state.ToString().ToLowerInvariant();

    public static string Of(RunSummary run) =>
        run.State switch
        {
            RunState.Running when run.IsPaused =>
                $"Paused with {Display.Count(run.StagesDone)} of {Stages(run.Stages)} done; it begins no others until it is resumed.",
            RunState.Running when run.StagesFailed > 0 =>
                $"{Stages(run.StagesFailed)} failed; the others that do not need the failed output still run.",
            RunState.Running => $"{Display.Count(run.StagesDone)} of {Stages(run.Stages)} done.",
            RunState.Succeeded => $"All {Stages(run.Stages)} are done.",
            RunState.Failed => $"{Stages(run.StagesFailed)} failed for good. What succeeded is kept; a retry goes on from the failure.",
            RunState.Cancelled => "Someone cancelled it; the history below says who. What succeeded is kept.",
            _ => "",
        };

    public static string Of(StageRow stage, DateTimeOffset now) =>
        stage.State switch
        {
            StageState.Blocked when stage.PendingDependencies == 1 => "Waits for an earlier stage.",
            StageState.Blocked => $"Waits for {Display.Count(stage.PendingDependencies)} earlier stages.",
            StageState.Ready when stage.Hold is { } hold => $"Held back: {hold}.",
            StageState.Ready when stage.ErrorKind == "disk" =>
                $"Held back until the disk takes files again ({stage.WaitingFor}); goes on by itself.",
            StageState.Ready when stage.AvailableAt > now =>
                $"Attempt {stage.Attempt} failed; tries again {Display.Relative(stage.AvailableAt, now)}.",
            StageState.Ready when stage.WaitingFor is { } slot => $"Waits for a free place ({slot}).",
            StageState.Ready => $"Waits for a free worker of the queue \"{stage.Queue}\".",
            StageState.Running when stage.LeaseUntil < now => $"Its worker {stage.LeaseOwner} went silent; another one takes over.",
            StageState.Running => $"At work on {stage.LeaseOwner}.",
            StageState.Succeeded => "Its output is published.",
            StageState.Reused => "The same work on the same input was done before; its output was taken.",
            StageState.Failed => FailureOf(stage),
            StageState.Cancelled => "Cancelled with its run.",
            _ => "",
        };

    /// <summary>How long the newest attempt took or has taken; null before the first, and for outputs that were reused.</summary>
    public static string? DurationOf(StageRow stage, DateTimeOffset now) =>
        stage switch
        {
            { State: StageState.Reused } or { StartedAt: null } => null,
            { State: StageState.Running, StartedAt: { } start } => Display.Duration(now - start),
            { StartedAt: { } start, FinishedAt: { } end } => Display.Duration(end - start),
            _ => null,
        };

    private static string FailureOf(StageRow stage) =>
        stage.ErrorKind switch
        {
            "permanent" => "Trying again cannot help until the cause below is mended.",
            "died" => $"Its process died on each of {stage.Attempt} attempts, perhaps out of memory.",
            _ => $"Failed on each of {stage.Attempt} attempts.",
        };

    private static string Stages(int count) => count == 1 ? "1 stage" : $"{Display.Count(count)} stages";
}
