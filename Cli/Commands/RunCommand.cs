using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Cli.Watching;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Submits a run.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> Config = ConfigArgument.Create();
    private static readonly Option<bool> Watch = new("--watch")
    {
        Description = "Work on the run here, show its progress, and end when it ends (exit code 1 if it failed).",
    };
    private static readonly Option<bool> NoWorker = new("--no-worker")
    {
        Description = "With --watch: leave the work to workers elsewhere.",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "run",
            "Submit a run. Stages whose inputs and options were seen before are reused. Without --watch a worker has to be running "
                + "('electra up').",
            "run configs/demo.json --watch",
            "run configs/nightly.json"
        )
        {
            Config,
            Watch,
            NoWorker,
            CommonOptions.Json,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        RunConfig config = RunConfigReader.ReadFile(parsed.GetRequiredValue(Config), CommonOptions.InputFoldersOf(parsed));
        bool watch = parsed.GetValue(Watch);
        bool works = watch && !parsed.GetValue(NoWorker);
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        await using ElectraHost host = await ElectraHost.StartAsync(
            storage,
            new HostParts(works ? WorkerCommand.ForAllQueues(parsed) : null, null, LogToConsole: false),
            cancellationToken
        );
        long id = await host.Submission.SubmitAsync(config, "user", Workspace.Actor, cancellationToken);
        if (watch)
        {
            terminal.Note($"run {id} of {storage.DataFolder}");
            return await WatchAsync(terminal, storage, id, parsed.GetValue(CommonOptions.Json), cancellationToken);
        }

        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(new { run = id });
        }
        else
        {
            terminal.Note($"run {id} is submitted; see: electra status {id}");
        }

        await NoteMissingWorkerAsync(terminal, storage.Queries, cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Watches a run to its end and writes its result.</summary>
    public static async Task<int> WatchAsync(
        Terminal terminal,
        ElectraStorage storage,
        long id,
        bool json,
        CancellationToken cancellationToken
    )
    {
        RunDetail run;
        try
        {
            run = await new RunWatcher(storage.Queries, terminal).WatchAsync(id, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            terminal.Note($"stopped; run {id} goes on with the next worker: electra up");
            throw;
        }

        RunErrors.Write(terminal.Error, run);
        if (json)
        {
            terminal.WriteJson(new { run.Summary, run.Stages });
        }
        else if (run.Summary.State == RunState.Succeeded)
        {
            await ResultTable.WriteAsync(terminal, storage.Queries, run, cancellationToken);
        }

        return run.Summary.State == RunState.Succeeded ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task NoteMissingWorkerAsync(Terminal terminal, Queries queries, CancellationToken cancellationToken)
    {
        if ((await queries.OverviewAsync(cancellationToken)).WorkersAlive == 0)
        {
            terminal.Note("no worker is running; start one: electra up");
        }
    }
}
