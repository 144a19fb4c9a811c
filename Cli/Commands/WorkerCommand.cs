using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Commands;

/// <summary>A worker alone.</summary>
internal static class WorkerCommand
{
    private static readonly string[] Known = ["cpu", "gpu"];
    private static readonly Option<string> Queues = new("--queues")
    {
        Description = "Queues to serve, with commas between: cpu, gpu.",
        HelpName = "QUEUES",
        DefaultValueFactory = _ => "cpu",
    };

    private static readonly Option<double> Lease = new("--lease")
    {
        Description = "Seconds without a sign of life after which another worker takes over a stage.",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => new WorkerOptions().LeaseTtl.TotalSeconds,
    };

    private static readonly Option<int> Memory = new("--memory")
    {
        Description = "GB of this host's memory for stages whose config says what they take (limits[].memoryGb).",
        HelpName = "GB",
        DefaultValueFactory = _ => new WorkerOptions().MemoryGb,
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "worker",
            "Work on runs until Ctrl+C. Workers on several hosts share the database and the data folder.",
            "worker",
            "worker --queues cpu,gpu"
        )
        {
            Queues,
            Lease,
            Memory,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(terminal, parsed, cancellationToken));
        return command;
    }

    /// <summary>A worker that serves all queues, for commands that work beside what else they do.</summary>
    public static WorkerOptions ForAllQueues(ParseResult parsed) =>
        new() { Queues = Known, InputFolders = CommonOptions.InputFoldersOf(parsed) };

    private static async Task<int> RunAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        string[] queues = parsed
            .GetRequiredValue(Queues)
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (queues.Length == 0 || queues.Except(Known).Any())
        {
            throw new UsageException($"--queues {parsed.GetValue(Queues)}: the queues are {string.Join(" and ", Known)}");
        }

        double lease = parsed.GetValue(Lease);
        if (!(lease is >= 2 and <= 3600))
        {
            throw new UsageException($"--lease {lease}: give 2 to 3600 seconds");
        }

        int memory = parsed.GetValue(Memory);
        if (memory < 1)
        {
            throw new UsageException($"--memory {memory}: give 1 GB or more");
        }

        WorkerOptions options = ForAllQueues(parsed) with { Queues = queues, LeaseTtl = TimeSpan.FromSeconds(lease), MemoryGb = memory };
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        await using ElectraHost host = await ElectraHost.StartAsync(
            storage,
            new HostParts(options, null, LogToConsole: true),
            cancellationToken
        );
        terminal.Note($"working on {string.Join(", ", queues)} of {storage.DataFolder}");
        await Waiting.UntilStoppedAsync(cancellationToken);
        return ExitCode.Done;
    }
}
