using System.Globalization;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>How far a running stage is and when it will probably end.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Share">Part done in [0, 1]; null if the stage has not said.</param>
/// <param name="Remaining">Time left at the present speed; null if no speed is known yet.</param>
public sealed record StageProgress(StageRow Stage, double? Share, TimeSpan? Remaining)
{
    // Below this the start-up weighs more than the work, and the estimate would frighten.
    private static readonly TimeSpan _shortestMeasured = TimeSpan.FromSeconds(5);

    /// <summary>Judges a stage by its recent steps a second if known, else by its mean speed since the attempt began.</summary>
    public static StageProgress Of(StageRow stage, double? stepsPerSecond, DateTimeOffset now)
    {
        if (stage is not { ProgressDone: { } done, ProgressTotal: > 0 and { } total })
        {
            return new StageProgress(stage, null, null);
        }

        double share = Math.Clamp((double)done / total, 0, 1);
        TimeSpan elapsed = now - (stage.StartedAt ?? now);
        double? speed =
            stage.ProgressUnit == "steps" && stepsPerSecond > 0 ? stepsPerSecond
            : done > 0 && elapsed > _shortestMeasured ? done / elapsed.TotalSeconds
            : null;
        double seconds = Math.Max(0, total - done) / (speed ?? 1);
        return new StageProgress(
            stage,
            share,
            speed is null || seconds > TimeSpan.MaxValue.TotalSeconds / 2 ? null : TimeSpan.FromSeconds(seconds)
        );
    }

    /// <summary>"412 of 1,000 steps (41 %), about 12 min 4 s left".</summary>
    public string InWords()
    {
        if (Share is null)
        {
            return "Started; no progress reported yet.";
        }

        Func<long, string> number = Stage.ProgressUnit == "bytes" ? Display.Bytes : Display.Count;
        string unit = Stage.ProgressUnit == "bytes" ? "" : Stage.ProgressUnit!;
        return Words(number(Stage.ProgressDone!.Value), number(Stage.ProgressTotal!.Value), unit, Share.Value, Remaining);
    }

    /// <summary>"42 %".</summary>
    internal static string Percent(double share) => (share * 100).ToString("0", CultureInfo.InvariantCulture) + " %";

    /// <summary>What is done of how much, and what is left.</summary>
    internal static string Words(string done, string total, string unit, double share, TimeSpan? remaining) =>
        $"{done} of {total}{(unit.Length > 0 ? " " : "")}{unit} ({Percent(share)})"
        + (remaining is { } left ? $", about {Display.Duration(left)} left" : "");
}
