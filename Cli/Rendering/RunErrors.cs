using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Cli.Rendering;

/// <summary>What went wrong in a run, and what to do.</summary>
internal static class RunErrors
{
    /// <summary>Writes the error of each stage that has one, and the command that goes on.</summary>
    public static void Write(IAnsiConsole console, RunDetail run)
    {
        foreach (StageRow stage in run.Stages.Where(s => s.Error is not null))
        {
            // Not folded: paths and positions in it are searched for and copied.
            console.Markup($"[red]{Markup.Escape(stage.DisplayName)}:[/] ");
            console.Profile.Out.Writer.WriteLine(stage.Error);
        }

        if (run.Summary.StagesFailed > 0)
        {
            console.Profile.Out.Writer.WriteLine($"When it is mended: electra retry {run.Summary.Id}");
        }
    }
}
