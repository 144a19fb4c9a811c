using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Stops a run.</summary>
internal static class CancelCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<long> run = RunIdArgument.Create();
        var command = new ExampleCommand("cancel", "Stop a run; what is done stays, and 'electra retry' lets it go on.", "cancel 3")
        {
            run,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                long id = parsed.GetValue(run);
                await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
                bool cancelled = await storage.Runs.CancelAsync(id, Workspace.Actor, cancellationToken);
                terminal.Note(cancelled ? $"run {id} is cancelled" : $"run {id} was at its end already");
                return ExitCode.Done;
            }
        );
        return command;
    }
}
