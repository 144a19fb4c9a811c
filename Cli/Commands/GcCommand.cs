using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Artifacts;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Removes what a policy lets go.</summary>
internal static class GcCommand
{
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Show what would go; remove nothing." };
    private static readonly Option<double> Orphans = new("--orphans")
    {
        Description = "Hours after which sealed folders that nothing names go.",
        HelpName = "HOURS",
        DefaultValueFactory = _ => new RetentionPolicy().OrphanAge.TotalHours,
    };
    private static readonly Option<double?> Checkpoints = new("--checkpoints")
    {
        Description =
            "Days after which checkpoints of failed and cancelled runs go. Default: they stay, so that a retry goes on from them.",
        HelpName = "DAYS",
    };
    private static readonly Option<double?> Runs = new("--runs")
    {
        Description =
            "Days after which ended runs go with their curves, logs and outputs, unless a version was registered by them. Default: "
            + "they stay.",
        HelpName = "DAYS",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "gc",
            "Remove what nothing needs. What a registered dataset or model version needs is never removed.",
            "gc --dry-run",
            "gc --checkpoints 14 --runs 90"
        )
        {
            DryRun,
            Orphans,
            Checkpoints,
            Runs,
            CommonOptions.Json,
        };
        command.SetAction((parsed, cancellationToken) => CollectAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> CollectAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        var policy = new RetentionPolicy
        {
            OrphanAge = TimeSpan.FromHours(NotNegative("--orphans", parsed.GetValue(Orphans))),
            CheckpointAge = Days("--checkpoints", parsed.GetValue(Checkpoints)),
            RunAge = Days("--runs", parsed.GetValue(Runs)),
        };
        bool dryRun = parsed.GetValue(DryRun);
        await using ElectraStorage storage = await Workspace.OpenExistingAsync(parsed, cancellationToken);
        Collected collected = await storage.Garbage.CollectAsync(policy, dryRun, cancellationToken);
        if (!dryRun)
        {
            string removed =
                $"{collected.Runs.Count} runs, {collected.Checkpoints} checkpoints, {collected.Artifacts.Count} sealed folders";
            await storage.Audit.RecordAsync(Workspace.Actor, "garbage removed", removed, CancellationToken.None);
        }

        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(
                new
                {
                    dryRun,
                    collected.Runs,
                    collected.Checkpoints,
                    collected.Artifacts,
                    collected.Bytes,
                    collected.WorkFolders,
                    collected.Uploads,
                    collected.Copies,
                }
            );
            return ExitCode.Done;
        }

        var table = new Table { Border = TableBorder.Simple };
        table
            .AddColumn(dryRun ? "would be removed" : "removed")
            .AddColumn(new TableColumn("count").RightAligned())
            .AddColumn(new TableColumn("MiB").RightAligned());
        table.AddRow("runs", $"{collected.Runs.Count}", "");
        table.AddRow("checkpoints of ended runs", $"{collected.Checkpoints}", "");
        table.AddRow("sealed folders", $"{collected.Artifacts.Count}", $"{collected.Bytes / 1048576.0:0.0}");
        table.AddRow("work folders of crashed attempts", $"{collected.WorkFolders}", "");
        if (collected.Uploads > 0)
        {
            table.AddRow("unfinished uploads to the bucket", $"{collected.Uploads}", "");
        }

        if (collected.Copies > 0)
        {
            table.AddRow("copies of what is in the bucket", $"{collected.Copies}", "");
        }

        terminal.Output.Write(table);
        return ExitCode.Done;
    }

    private static TimeSpan? Days(string option, double? days) => days is null ? null : TimeSpan.FromDays(NotNegative(option, days.Value));

    private static double NotNegative(string option, double value) =>
        value is >= 0 and <= 36_500 ? value : throw new UsageException($"{option} {value}: give a number from 0 on");
}
