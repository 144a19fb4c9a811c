using ElectraPipeline.Cli.Watching;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Cli.Rendering;

/// <summary>A run as a table that fits 80 columns.</summary>
internal static class RunTable
{
    private const int BarWidth = 10;

    /// <summary>The table of the run's stages.</summary>
    public static Table Of(RunSummary run, IReadOnlyList<StageLine> lines, DateTimeOffset now)
    {
        var table = new Table
        {
            Border = TableBorder.Simple,
            ShowHeaders = true,
            Expand = false,
        };
        table.Title = new TableTitle(
            $"run {run.Id} · {Markup.Escape(run.Name)} · {StateMarkup(run)} · {Durations.Short((run.FinishedAt ?? now) - run.CreatedAt)}"
        );
        table.AddColumn(new TableColumn("stage").NoWrap());
        table.AddColumn(new TableColumn("state").NoWrap());
        table.AddColumn(new TableColumn("progress"));
        table.AddColumn(new TableColumn("time").RightAligned().NoWrap());
        table.AddColumn(new TableColumn("left").RightAligned().NoWrap());
        foreach (StageLine line in lines)
        {
            table.AddRow(
                Markup.Escape(line.Name),
                StateMarkup(line.State),
                ProgressMarkup(line),
                line.Took is { } took ? Durations.Short(took) : "",
                line.Remaining is { } left ? Durations.Short(left) : ""
            );
        }

        return table;
    }

    /// <summary>A state in its colour.</summary>
    public static string StateMarkup(StageState state) => Coloured(state.ToString().ToLowerInvariant());

    /// <summary>The state of a run in its colour, "paused" before "running".</summary>
    public static string StateMarkup(RunSummary run) => run.IsPaused ? "[yellow]paused[/]" : StateMarkup(run.State);

    /// <summary>A state in its colour.</summary>
    public static string StateMarkup(RunState state) => Coloured(state.ToString().ToLowerInvariant());

    private static string Coloured(string state) =>
        state switch
        {
            "succeeded" => "[green]succeeded[/]",
            "reused" => "[green]reused[/]",
            "running" => "[blue]running[/]",
            "failed" => "[red]failed[/]",
            "cancelled" => "[yellow]cancelled[/]",
            _ => $"[grey]{state}[/]",
        };

    private static string ProgressMarkup(StageLine line)
    {
        if (line.Note.Length > 0 && line.State != StageState.Running)
        {
            return Markup.Escape(line.Note);
        }

        if (line.State != StageState.Running || line.Progress is not { } share)
        {
            return Markup.Escape(line.ProgressText);
        }

        int full = (int)(share * BarWidth);
        string text = line.Note.Length > 0 ? $"{line.ProgressText}, {line.Note}" : line.ProgressText;
        return $"[blue]{new string('━', full)}[/][grey]{new string('─', BarWidth - full)}[/] {Markup.Escape(text)}";
    }
}
