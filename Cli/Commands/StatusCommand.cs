using System.CommandLine;
using System.Text.Json;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Cli.Watching;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Runs;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Runs, or the stages of one.</summary>
internal static class StatusCommand
{
    private static readonly Argument<long?> Run = new("RUN")
    {
        Description = "Number of a run; without it: the newest runs.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand("status", "Show the newest runs, or the stages of one.", "status", "status 3", "status 3 --json")
        {
            Run,
            CommonOptions.Json,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                parsed.GetValue(Run) is { } id
                    ? ShowRunAsync(terminal, parsed, id, cancellationToken)
                    : ShowRunsAsync(terminal, parsed, cancellationToken)
        );
        return command;
    }

    private static async Task<int> ShowRunsAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        IReadOnlyList<RunSummary> runs = await storage.Queries.RunsAsync(new RunFilter { Limit = 20 }, cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(runs);
            return ExitCode.Done;
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("run", "name", "state", "stages", "began", "took");
        foreach (RunSummary run in runs)
        {
            table.AddRow(
                $"{run.Id}",
                Markup.Escape(run.Name),
                RunTable.StateMarkup(run),
                $"{run.StagesDone} / {run.Stages}",
                Durations.Ago(run.CreatedAt, now),
                Durations.Short((run.FinishedAt ?? now) - run.CreatedAt)
            );
        }

        terminal.Output.Write(table);
        foreach (PauseRow pause in await storage.Queries.PausesAsync(cancellationToken))
        {
            terminal.Note(
                $"{PauseStore.Word(pause.Scope)} {pause.Subject} is paused by {pause.Actor}, {Durations.Ago(pause.CreatedAt, now)}"
            );
        }

        return ExitCode.Done;
    }

    private static async Task<int> ShowRunAsync(Terminal terminal, ParseResult parsed, long id, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        RunDetail run =
            await storage.Queries.RunAsync(id, cancellationToken) ?? throw new UsageException($"there is no run {id}; see: electra status");
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(
                new
                {
                    run.Summary,
                    Config = JsonElement.Parse(run.Config),
                    run.ConfigDigest,
                    run.Stages,
                    run.Dependencies,
                }
            );
            return ExitCode.Done;
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        IReadOnlyList<StageLine> lines = new StageLines().Of(run.Stages, now);
        terminal.Output.Write(RunTable.Of(run.Summary, lines, now));
        foreach (StageLine line in lines.Where(line => line.Hold is not null))
        {
            terminal.Note($"{line.Name} is held back: {line.Hold}");
        }

        RunErrors.Write(terminal.Output, run);
        return ExitCode.Done;
    }
}
