using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Holds work back, and lets it go on.</summary>
internal static class PauseCommand
{
    private static readonly Argument<PauseScope> Scope = new("WHAT") { Description = "run, queue, worker or host." };
    private static readonly Argument<string> Subject = new("NAME")
    {
        Description =
            "Number of the run, queue (cpu, gpu), id of the worker, or name of the host; see: electra status, and the dashboard's workers.",
    };

    private static readonly Option<bool> Now = new("--now")
    {
        Description = "Also give back the stages at work: training writes a checkpoint first. Without it they go on to their ends.",
    };

    public static Command CreatePause(Terminal terminal)
    {
        var command = new ExampleCommand(
            "pause",
            "Begin no further stages of a run, a queue, a worker or a host until 'electra resume'.",
            "pause run 3 --now",
            "pause queue gpu"
        )
        {
            Scope,
            Subject,
            Now,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                (PauseScope scope, string subject) = (parsed.GetValue(Scope), parsed.GetRequiredValue(Subject));
                await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
                bool paused = await storage.Pauses.PauseAsync(scope, subject, parsed.GetValue(Now), Workspace.Actor, cancellationToken);
                terminal.Note($"{PauseStore.Word(scope)} {subject} {(paused ? "is paused" : "was paused already")}");
                return ExitCode.Done;
            }
        );
        return command;
    }

    public static Command CreateResume(Terminal terminal)
    {
        var command = new ExampleCommand("resume", "Let what was paused go on.", "resume run 3", "resume queue gpu") { Scope, Subject };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                (PauseScope scope, string subject) = (parsed.GetValue(Scope), parsed.GetRequiredValue(Subject));
                await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
                bool resumed = await storage.Pauses.ResumeAsync(scope, subject, Workspace.Actor, cancellationToken);
                terminal.Note($"{PauseStore.Word(scope)} {subject} {(resumed ? "goes on" : "was not paused")}");
                return ExitCode.Done;
            }
        );
        return command;
    }
}
