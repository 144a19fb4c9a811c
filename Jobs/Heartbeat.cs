using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using Npgsql;

namespace ElectraPipeline.Jobs;

/// <summary>
/// Renews a lease on a thread of its own, which a busy thread pool cannot delay, and stores the stage's reports. When the lease is
/// lost, or the database was away for as long as the lease lasts, it cancels the work: somebody else may own it now. When a pause asks
/// for it, it says so and goes on renewing, so that the work can be given back in order.
/// </summary>
internal sealed class Heartbeat : IDisposable
{
    private readonly ElectraStorage storage;
    private readonly StageLease lease;
    private readonly StageReporter reporter;
    private readonly TimeSpan ttl;
    private readonly CancellationTokenSource lost = new();
    private readonly CancellationTokenSource paused = new();
    private readonly ManualResetEventSlim stop = new();
    private readonly Thread thread;

    public Heartbeat(ElectraStorage storage, StageLease lease, StageReporter reporter, TimeSpan ttl)
    {
        this.storage = storage;
        this.lease = lease;
        this.reporter = reporter;
        this.ttl = ttl;
        thread = new Thread(Beat) { IsBackground = true, Name = $"lease of stage run {lease.StageRunId}" };
        thread.Start();
    }

    /// <summary>Fires when the work must stop because the lease is lost.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>Fires when the work must be given back because it was paused.</summary>
    public CancellationToken Paused => paused.Token;

    public void Dispose()
    {
        stop.Set();
        thread.Join();
        stop.Dispose();
        lost.Dispose();
        paused.Dispose();
    }

    private void Beat()
    {
        // The curves should look alive: reports are stored each second even where a lease lasts for minutes.
        TimeSpan pause = TimeSpan.FromMilliseconds(Math.Min(ttl.TotalMilliseconds / 4, 1000));
        long held = Environment.TickCount64;
        while (!stop.Wait(pause))
        {
            try
            {
                switch (storage.Leases.Heartbeat(lease, ttl, reporter.NewestProgress, ttl / 2))
                {
                    case LeaseState.Lost:
                        lost.Cancel();
                        return;
                    case LeaseState.Paused:
                        paused.Cancel();
                        break;
                }

                held = Environment.TickCount64;
                StoreReports();
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
            {
                if (Environment.TickCount64 - held > ttl.TotalMilliseconds)
                {
                    lost.Cancel();
                    return;
                }
            }
        }
    }

    /// <summary>Stores what is not stored yet; what cannot be is kept for the next time.</summary>
    public void StoreReports()
    {
        var (metrics, lines) = reporter.Take();
        if (metrics.Count + lines.Count == 0)
        {
            return;
        }

        try
        {
            storage.Journal.AppendAsync(lease, metrics, lines).GetAwaiter().GetResult();
        }
        catch
        {
            reporter.Return(metrics, lines);
            throw;
        }
    }
}
