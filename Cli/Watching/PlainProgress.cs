using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Cli.Watching;

/// <summary>A run in lines: one when a stage changes its state, and one every few seconds for what is running.</summary>
internal sealed class PlainProgress(Terminal terminal)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly Dictionary<string, StageState> shown = [];
    private readonly Dictionary<string, string> holds = [];
    private DateTimeOffset last;

    /// <summary>Writes what is new.</summary>
    public void Show(RunDetail run, IReadOnlyList<StageLine> lines, DateTimeOffset now)
    {
        foreach (StageLine line in lines.Where(IsNewHold))
        {
            terminal.Note($"{Durations.Short(now - run.Summary.CreatedAt), 10}  {line.Name, -22} held back: {line.Hold}");
        }

        foreach (StageLine line in lines.Where(IsNews))
        {
            shown[line.Name] = line.State;
            Write(run, line, now, line.State.ToString().ToLowerInvariant());
        }

        StageLine[] running = [.. lines.Where(l => l.State == StageState.Running)];
        if (running.Length == 0 || now - last < Interval)
        {
            return;
        }

        foreach (StageLine line in running.Where(l => l.Progress is not null))
        {
            Write(run, line, now, $"{line.Progress:P0}");
        }

        last = now;
    }

    // The room that is left differs from look to look: one line for each beginning of a hold.
    private bool IsNewHold(StageLine line)
    {
        if (line.Hold is null)
        {
            holds.Remove(line.Name);
            return false;
        }

        return holds.TryAdd(line.Name, line.Hold);
    }

    private bool IsNews(StageLine line) =>
        line.State is not (StageState.Blocked or StageState.Ready)
        && (!shown.TryGetValue(line.Name, out StageState state) || state != line.State);

    private void Write(RunDetail run, StageLine line, DateTimeOffset now, string what)
    {
        string[] parts =
        [
            what,
            line.ProgressText,
            line.Note,
            line.Took is { } took && line.State != StageState.Running ? Durations.Short(took) : "",
            line.Remaining is { } left ? $"{Durations.Short(left)} left" : "",
        ];
        terminal.Note(
            $"{Durations.Short(now - run.Summary.CreatedAt), 10}  {line.Name, -22} {string.Join(", ", parts.Where(p => p.Length > 0))}"
        );
    }
}
