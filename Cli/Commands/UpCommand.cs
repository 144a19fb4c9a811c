using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Dashboard;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Dashboard and worker, until stopped.</summary>
internal static class UpCommand
{
    private static readonly Option<bool> NoWorker = new("--no-worker") { Description = "The dashboard alone." };
    private static readonly Option<int?> Port = new("--port")
    {
        Description = $"TCP port. Default: {DashboardPort.Default}, or the next that is free.",
        HelpName = "PORT",
    };
    private static readonly Option<string> Address = new("--address")
    {
        Description =
            "Address to listen on; '*' is all of them. Anything but localhost needs accounts (electra auth) or an access token in "
            + "$ELECTRA_TOKEN.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "localhost",
    };

    private static readonly Option<string[]> Proxies = new("--trusted-proxy")
    {
        Description =
            "IP address of a reverse proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; may be repeated. "
            + "Needs accounts or the access token.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => [],
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "up",
            "Serve the dashboard and work on runs until Ctrl+C.",
            "up",
            "up --no-worker --port 8500",
            "up --trusted-proxy 10.0.0.5 --address 10.0.0.4"
        )
        {
            NoWorker,
            Port,
            Address,
            Proxies,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        DashboardOptions dashboard = await DashboardSettings.AtAsync(
            storage,
            parsed.GetRequiredValue(Address),
            parsed.GetValue(Port) ?? DashboardPort.NextFree(),
            cancellationToken
        );
        dashboard = dashboard with { TrustedProxies = parsed.GetRequiredValue(Proxies) };
        WorkerOptions? worker = parsed.GetValue(NoWorker) ? null : WorkerCommand.ForAllQueues(parsed);
        await using ElectraHost host = await ElectraHost.StartAsync(
            storage,
            new HostParts(worker, dashboard, LogToConsole: true),
            cancellationToken
        );
        terminal.Note($"data folder  {storage.DataFolder}");
        terminal.Note($"dashboard    {DashboardSettings.AddressOf(dashboard)}");
        await Waiting.UntilStoppedAsync(cancellationToken);
        return ExitCode.Done;
    }
}
