using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Dashboard;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Commands;

/// <summary>The whole pipeline on data that is here: the .NET API documentation.</summary>
internal static class DemoCommand
{
    private static readonly Option<bool> Stay = new("--stay") { Description = "Keep worker and dashboard up at the end, until Ctrl+C." };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "demo",
            "Pre-train a small ELECTRA on the .NET API documentation, evaluate it, fine-tune it and register the versions; about ten "
                + "minutes on two cores. "
                + "A second time every finished stage is reused.",
            "demo",
            "demo --stay"
        )
        {
            Stay,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        RunConfig config = RunConfigReader.ReadFile(Path.Combine(Checkout.Configs, "demo.json"), CommonOptions.InputFoldersOf(parsed));
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        DashboardOptions dashboard = await DashboardSettings.LocalAsync(storage, cancellationToken);
        await using ElectraHost host = await ElectraHost.StartAsync(
            storage,
            new HostParts(WorkerCommand.ForAllQueues(parsed), dashboard, LogToConsole: false),
            cancellationToken
        );
        long id = await host.Submission.SubmitAsync(config, "demo", Workspace.Actor, cancellationToken);
        terminal.Note($"data folder  {storage.DataFolder}");
        terminal.Note($"dashboard    {DashboardSettings.AddressOf(dashboard)}/runs/{id}");
        int code = await RunCommand.WatchAsync(terminal, storage, id, json: false, cancellationToken);
        if (!parsed.GetValue(Stay))
        {
            terminal.Note("Look at it again in the dashboard: electra up");
            return code;
        }

        terminal.Note($"The dashboard stays at {DashboardSettings.AddressOf(dashboard)}/runs/{id} until Ctrl+C.");
        await Waiting.UntilStoppedAsync(cancellationToken);
        return code;
    }
}
