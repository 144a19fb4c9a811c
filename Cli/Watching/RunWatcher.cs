using System.Diagnostics;
using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Npgsql;

namespace ElectraPipeline.Cli.Watching;

/// <summary>Shows a run until it ends: a table that moves for people, a line now and then for logs.</summary>
internal sealed class RunWatcher(Queries queries, Terminal terminal)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    /// <summary>A run of ten thousand stages is long to read: whoever watches it takes a tenth of the time at most.</summary>
    private const int PausesPerLook = 9;

    /// <summary>Watches until the run reaches its end state, and returns it as it then is.</summary>
    public async Task<RunDetail> WatchAsync(long runId, CancellationToken cancellationToken)
    {
        if (!terminal.Interactive)
        {
            var log = new PlainProgress(terminal);
            return await FollowAsync(runId, (run, lines, now) => log.Show(run, lines, now), cancellationToken);
        }

        return await new Spectre.Console.LiveDisplay(terminal.Error, new Spectre.Console.Text("")) { AutoClear = false }.StartAsync(
            context =>
                FollowAsync(runId, (run, lines, now) => context.UpdateTarget(RunTable.Of(run.Summary, lines, now)), cancellationToken)
        );
    }

    private async Task<RunDetail> FollowAsync(
        long runId,
        Action<RunDetail, IReadOnlyList<StageLine>, DateTimeOffset> show,
        CancellationToken cancellationToken
    )
    {
        var lines = new StageLines();
        while (true)
        {
            long began = Stopwatch.GetTimestamp();
            if (await ReadAsync(runId, cancellationToken) is { } run)
            {
                DateTimeOffset now = TimeProvider.System.GetUtcNow();
                show(run, lines.Of(run.Stages, now), now);
                if (run.Summary.State != RunState.Running)
                {
                    return run;
                }
            }

            TimeSpan pause = Stopwatch.GetElapsedTime(began) * PausesPerLook;
            await Task.Delay(pause > Poll ? pause : Poll, cancellationToken);
        }
    }

    // The database may be away for a moment (it restarts); the run does not end by that, so watching does not either.
    private async Task<RunDetail?> ReadAsync(long runId, CancellationToken cancellationToken)
    {
        try
        {
            return await queries.RunAsync(runId, cancellationToken) ?? throw new UsageException($"there is no run {runId} any more");
        }
        catch (NpgsqlException e)
            when (e is not PostgresException || e.IsTransient || e.SqlState?.StartsWith("57P", StringComparison.Ordinal) == true)
        {
            return null;
        }
    }
}
