using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Lets a failed or cancelled run go on.</summary>
internal static class RetryCommand
{
    private static readonly Option<string?> From = new("--from")
    {
        Description = "Only this stage and what depends on it; 'tokenize' or 'finetune[TASK]'.",
        HelpName = "STAGE",
    };

    public static Command Create(Terminal terminal)
    {
        Argument<long> run = RunIdArgument.Create();
        var command = new ExampleCommand(
            "retry",
            "Let the failed stages of a run, and what depends on them, run again; finished stages keep their outputs.",
            "retry 3",
            "retry 3 --from pretrain"
        )
        {
            run,
            From,
        };
        command.SetAction((parsed, cancellationToken) => RetryAsync(terminal, parsed, parsed.GetValue(run), cancellationToken));
        return command;
    }

    private static async Task<int> RetryAsync(Terminal terminal, ParseResult parsed, long id, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        await using ElectraHost host = await ElectraHost.StartAsync(
            storage,
            new HostParts(null, null, LogToConsole: false),
            cancellationToken
        );
        if (parsed.GetValue(From) is { } name)
        {
            foreach (StageRow stage in await StagesToRetryAsync(storage.Queries, id, name, cancellationToken))
            {
                await host.Submission.RetryStageAsync(stage.Id, Workspace.Actor, cancellationToken);
            }
        }
        else
        {
            await host.Submission.RetryRunAsync(id, Workspace.Actor, cancellationToken);
        }

        terminal.Note($"run {id} goes on; see: electra status {id}");
        if ((await storage.Queries.OverviewAsync(cancellationToken)).WorkersAlive == 0)
        {
            terminal.Note("no worker is running; start one: electra up");
        }

        return ExitCode.Done;
    }

    private static async Task<IReadOnlyList<StageRow>> StagesToRetryAsync(
        Queries queries,
        long id,
        string name,
        CancellationToken cancellationToken
    )
    {
        RunDetail run =
            await queries.RunAsync(id, cancellationToken) ?? throw new UsageException($"there is no run {id}; see: electra status");
        StageRow[] named = [.. run.Stages.Where(s => s.DisplayName == name || s.Stage == name)];
        if (named.Length == 0)
        {
            throw new UsageException(
                $"run {id} has no stage '{name}'; it has {string.Join(", ", run.Stages.Select(s => s.Stage).Distinct())}"
            );
        }

        StageRow[] stopped = [.. named.Where(s => s.State is StageState.Failed or StageState.Cancelled)];
        return stopped.Length > 0
            ? stopped
            : throw new UsageException($"{name} of run {id} neither failed nor was cancelled; there is nothing to retry");
    }
}
