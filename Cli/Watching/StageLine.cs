using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Cli.Watching;

/// <summary>One line of a run's table: a stage, or all shards of a fanned-out stage together.</summary>
/// <param name="Name">"pretrain", "finetune[member-kind]", "tokenize".</param>
/// <param name="State">The state that matters most among its shards.</param>
/// <param name="Done">Shards done.</param>
/// <param name="Shards">Shards in all.</param>
/// <param name="Progress">Share done of the whole line, in [0, 1]; null while unknown.</param>
/// <param name="ProgressText">"1,200 / 4,000 steps"; empty while unknown.</param>
/// <param name="Took">Time from the first start to the last end, or to now; null before the start.</param>
/// <param name="Remaining">Estimated time left; null while unknown.</param>
/// <param name="Note">Reuse, attempts, what it waits for.</param>
/// <param name="Hold">What holds it back until somebody acts: a pause, a disk that takes no files; null: nothing.</param>
internal sealed record StageLine(
    string Name,
    StageState State,
    int Done,
    int Shards,
    double? Progress,
    string ProgressText,
    TimeSpan? Took,
    TimeSpan? Remaining,
    string Note,
    string? Hold
);

/// <summary>Turns a run's stages into lines; remembers progress from call to call for the estimates.</summary>
internal sealed class StageLines
{
    /// <summary>What a line with several shards shows, the most telling first.</summary>
    private static readonly StageState[] Weight =
    [
        StageState.Failed,
        StageState.Running,
        StageState.Cancelled,
        StageState.Ready,
        StageState.Blocked,
        StageState.Succeeded,
        StageState.Reused,
    ];

    private readonly Dictionary<string, RemainingTime> estimates = [];

    /// <summary>The lines of <paramref name="stages"/> as they stand at <paramref name="now"/>.</summary>
    public IReadOnlyList<StageLine> Of(IReadOnlyList<StageRow> stages, DateTimeOffset now) =>
        [.. stages.GroupBy(LineName).Select(group => Line(group.Key, [.. group], now))];

    // A fan-out is numbered ("0003") and shown as one line; fine-tuning tasks have names and a line each.
    private static string LineName(StageRow stage) => stage.Shard.All(char.IsAsciiDigit) ? stage.Stage : stage.DisplayName;

    private StageLine Line(string name, StageRow[] shards, DateTimeOffset now)
    {
        StageState state = Weight.First(weight => shards.Any(s => s.State == weight));
        int done = shards.Count(IsDone);
        (double? progress, string text) = ProgressOf(shards, done);
        DateTimeOffset? started = shards.Min(s => s.StartedAt);
        DateTimeOffset ended = shards.All(s => s.FinishedAt is not null) ? shards.Max(s => s.FinishedAt)!.Value : now;
        return new StageLine(
            name,
            state,
            done,
            shards.Length,
            progress,
            text,
            started is null || state is StageState.Ready ? null : ended - started,
            state == StageState.Running ? Remaining(name, progress, now) : null,
            NoteOf(shards, now),
            shards.Select(HoldOf).FirstOrDefault(hold => hold is not null)
        );
    }

    private static bool IsDone(StageRow stage) => stage.State is StageState.Succeeded or StageState.Reused;

    private static (double? Share, string Text) ProgressOf(StageRow[] shards, int done)
    {
        if (done == shards.Length)
        {
            return (1, "");
        }

        if (shards.Length > 1)
        {
            double share = shards.Sum(s => IsDone(s) ? 1 : ShareOf(s) ?? 0) / shards.Length;
            return (share, $"{done} / {shards.Length} parts");
        }

        StageRow only = shards[0];
        return (
            ShareOf(only),
            only.State == StageState.Running && only.ProgressTotal > 0
                ? $"{only.ProgressDone:#,0} / {only.ProgressTotal:#,0} {only.ProgressUnit}"
                : ""
        );
    }

    private static double? ShareOf(StageRow stage) =>
        stage is { State: StageState.Running, ProgressTotal: > 0, ProgressDone: { } done }
            ? Math.Clamp((double)done / stage.ProgressTotal.Value, 0, 1)
            : null;

    private TimeSpan? Remaining(string name, double? progress, DateTimeOffset now)
    {
        if (progress is null)
        {
            return null;
        }

        if (!estimates.TryGetValue(name, out RemainingTime? estimate))
        {
            estimates[name] = estimate = new RemainingTime();
        }

        const long Parts = 1_000_000;
        return estimate.Estimate(now, (long)(progress.Value * Parts), Parts);
    }

    private static string? HoldOf(StageRow stage) =>
        stage switch
        {
            { State: not StageState.Ready } => null,
            { Hold: { } hold } => hold,
            { ErrorKind: "disk", Error: { } trouble } => trouble,
            _ => null,
        };

    private static string NoteOf(StageRow[] shards, DateTimeOffset now)
    {
        long[] reused = [.. shards.Select(s => s.ReusedFromRun).OfType<long>().Distinct()];
        if (reused.Length > 0)
        {
            return $"reused from run {string.Join(", ", reused)}";
        }

        if (shards.FirstOrDefault(s => HoldOf(s) is not null) is { } held)
        {
            return held.Hold ?? $"waits for {held.WaitingFor}";
        }

        StageRow shown = shards.MaxBy(s => s.Attempt)!;
        return shown switch
        {
            { State: StageState.Ready, AvailableAt: var at } when at > now =>
                $"attempt {shown.Attempt + 1} of {shown.MaxAttempts} in {Rendering.Durations.Short(at - now)}",
            { State: StageState.Ready, WaitingFor: { } slot } => $"waits for {slot}",
            { Attempt: > 1 } => $"attempt {shown.Attempt} of {shown.MaxAttempts}",
            _ => "",
        };
    }
}
