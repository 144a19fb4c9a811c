using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Training;

namespace ElectraPipeline.Cli.Watching;

/// <summary>
/// How far work in this process is: a line that is written over where a person watches, else a line every few seconds. Safe for several
/// threads.
/// </summary>
internal sealed class ProgressLine(Terminal terminal) : IStageReporter, IDisposable
{
    private static readonly TimeSpan InteractiveInterval = TimeSpan.FromSeconds(0.2);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private readonly Lock turn = new();
    private readonly DateTimeOffset start = TimeProvider.System.GetUtcNow();
    private readonly RemainingTime remaining = new();
    private DateTimeOffset last = TimeProvider.System.GetUtcNow();
    private int shown;

    public void Progress(long done, long total, string unit)
    {
        lock (turn)
        {
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            TimeSpan? left = remaining.Estimate(now, done, total);
            if (now - last < (terminal.Interactive ? InteractiveInterval : PlainInterval))
            {
                return;
            }

            last = now;
            (double scale, string name) = unit == "bytes" ? (1e6, "MB") : (1, unit);
            Show(
                $"{Durations.Short(now - start), 10}  {done / scale:N0} of {total / scale:N0} {name}, "
                    + $"{done / (double)Math.Max(1, total):P0}"
                    + (left is { } time ? $", {Durations.Short(time)} left" : "")
            );
        }
    }

    public void Metric(string name, long step, double value) { }

    public void Log(string message)
    {
        lock (turn)
        {
            Erase();
            terminal.Note(message);
        }
    }

    public void Checkpoint(long step, string folder) { }

    /// <summary>Takes the line away.</summary>
    public void Dispose()
    {
        lock (turn)
        {
            Erase();
        }
    }

    private void Show(string line)
    {
        if (!terminal.Interactive)
        {
            terminal.Note(line);
            return;
        }

        Erase();
        terminal.Error.Profile.Out.Writer.Write(line);
        shown = line.Length;
    }

    private void Erase()
    {
        if (shown > 0)
        {
            terminal.Error.Profile.Out.Writer.Write($"\r{new string(' ', shown)}\r");
            shown = 0;
        }
    }
}
