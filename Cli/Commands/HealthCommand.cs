using System.CommandLine;
using System.Net;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Whether a process does its work; for the health checks of containers.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);
    private static readonly Option<Uri?> Dashboard = new("--dashboard")
    {
        Description = "Ask the dashboard at this address.",
        HelpName = "URL",
        CustomParser = result =>
        {
            if (
                Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out Uri? address)
                && (address.Scheme == "http" || address.Scheme == "https")
            )
            {
                return address;
            }

            result.AddError($"--dashboard {result.Tokens[0].Value}: an address begins with http:// or https://");
            return null;
        },
    };
    private static readonly Option<bool> Worker = new("--worker") { Description = "Look in the database for a live worker of this host." };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "health",
            "Tell by the exit code whether a dashboard or this host's worker is alive: 0 or 1.",
            "health --dashboard http://localhost:8484",
            "health --worker"
        )
        {
            Dashboard,
            Worker,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Dashboard) is null && !result.GetValue(Worker))
            {
                result.AddError("name what to look at: --dashboard URL or --worker");
            }
        });
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                string? fault = parsed.GetValue(Dashboard) is { } address
                    ? await FaultOfDashboardAsync(address, cancellationToken)
                    : await FaultOfWorkerAsync(parsed, cancellationToken);
                if (fault is null)
                {
                    return ExitCode.Done;
                }

                terminal.Fail(fault);
                return ExitCode.Failed;
            }
        );
        return command;
    }

    private static async Task<string?> FaultOfDashboardAsync(Uri address, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Patience };
        try
        {
            using HttpResponseMessage response = await client.GetAsync(new Uri(address, "/health"), cancellationToken);
            return response.StatusCode == HttpStatusCode.OK ? null : $"{address} answers {(int)response.StatusCode}";
        }
        catch (HttpRequestException e)
        {
            return $"{address} does not answer: {e.Message}";
        }
    }

    private static async Task<string?> FaultOfWorkerAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        IReadOnlyList<WorkerRow> workers = await storage.Queries.WorkersAsync(cancellationToken: cancellationToken);
        return workers.Any(w => w.Host == Environment.MachineName && now - w.SeenAt < Silence)
            ? null
            : $"no worker of {Environment.MachineName} was seen in the last {Silence.TotalSeconds:0} s";
    }
}
