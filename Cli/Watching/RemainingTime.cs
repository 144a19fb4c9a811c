namespace ElectraPipeline.Cli.Watching;

/// <summary>
/// Estimates when work ends from the progress seen in the last half minute, so that a stage that went on from a checkpoint, or one whose
/// speed changed, is not judged by its past.
/// </summary>
internal sealed class RemainingTime
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(2);
    private readonly Queue<(DateTimeOffset At, long Done)> seen = new();

    /// <summary>Notes a progress and estimates the time left; null while too little was seen.</summary>
    public TimeSpan? Estimate(DateTimeOffset now, long done, long total)
    {
        if (seen.Count > 0 && done < seen.Last().Done)
        {
            seen.Clear(); // another attempt
        }

        if (seen.Count == 0 || seen.Last().Done != done)
        {
            seen.Enqueue((now, done));
        }

        while (seen.Count > 2 && now - seen.Peek().At > Window)
        {
            seen.Dequeue();
        }

        (DateTimeOffset start, long first) = seen.Peek();
        TimeSpan span = now - start;
        return done <= first || span < Least ? null : (total - done) * (span / (done - first));
    }
}
