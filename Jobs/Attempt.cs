using System.Diagnostics;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Jobs;

/// <summary>One attempt of a stage run: what can stop it, and what follows from that.</summary>
internal sealed class Attempt : IDisposable
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(10);
    private readonly Heartbeat heartbeat;
    private readonly CancellationToken shutdown;
    private readonly CancellationTokenSource timeLimit = new();
    private readonly CancellationTokenSource stop;
    private readonly long began = Stopwatch.GetTimestamp();
    private StageLimits? limits;

    public Attempt(StageLease lease, Heartbeat heartbeat, CancellationToken shutdown)
    {
        Lease = lease;
        this.heartbeat = heartbeat;
        this.shutdown = shutdown;
        stop = CancellationTokenSource.CreateLinkedTokenSource(shutdown, heartbeat.Lost, heartbeat.Paused, timeLimit.Token);
    }

    public StageLease Lease { get; }

    /// <summary>Fires when the work must end, for whichever reason.</summary>
    public CancellationToken Stop => stop.Token;

    /// <summary>Fires when the lease is lost: nothing may be written in its name any more.</summary>
    public CancellationToken Lost => heartbeat.Lost;

    /// <summary>Time since it began.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(began);

    /// <summary>Why the work is given back, uncounted; null: it is not asked for.</summary>
    public string? Interruption =>
        shutdown.IsCancellationRequested ? "the worker shuts down"
        : heartbeat.Paused.IsCancellationRequested ? "paused"
        : null;

    /// <summary>What is said of an attempt that took too long; null: it did not.</summary>
    public string? TimeLimitReached =>
        timeLimit.IsCancellationRequested
            ? $"the attempt was stopped after {limits!.TimeLimitSeconds} s, the time limit of {limits.Stage} "
                + "(limits[].timeLimitSeconds of the config)"
            : null;

    public void Dispose()
    {
        stop.Dispose();
        timeLimit.Dispose();
    }

    /// <summary>Sets the limits of the run's config.</summary>
    public void Limit(StageLimits stageLimits)
    {
        limits = stageLimits;
        if (stageLimits.TimeLimitSeconds is { } seconds)
        {
            TimeSpan left = TimeSpan.FromSeconds(seconds) - Elapsed;
            timeLimit.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    /// <summary>
    /// The wait before the next attempt: doubled for each one since the last step forward (a checkpoint allows all attempts anew), so that
    /// training that failed now and then over weeks is not punished for the first weeks.
    /// </summary>
    public TimeSpan BackoffAfter(TimeSpan usual)
    {
        TimeSpan first = limits?.BackoffSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : usual;
        int allowed = limits?.Attempts ?? Lease.MaxAttempts;
        return BackoffAfter(first, failures: allowed - (Lease.MaxAttempts - Lease.Attempt));
    }

    /// <summary>
    /// The wait after so many failures in a row: doubled for each, up to ten minutes, or the first one if that is longer.
    /// </summary>
    internal static TimeSpan BackoffAfter(TimeSpan first, int failures)
    {
        TimeSpan longest = first > LongestBackoff ? first : LongestBackoff;
        double wait = first.TotalSeconds * Math.Pow(2, Math.Max(0, failures - 1));
        return wait < longest.TotalSeconds ? TimeSpan.FromSeconds(wait) : longest;
    }
}
