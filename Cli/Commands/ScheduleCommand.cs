using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Runs by the clock.</summary>
internal static class ScheduleCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "Name of the schedule." };
    private static readonly Argument<string> Config = ConfigArgument.Create();
    private static readonly Option<string> Cron = new("--cron")
    {
        Description = "Minute, hour, day, month, weekday: \"30 2 * * *\".",
        HelpName = "CRON",
        Required = true,
    };
    private static readonly Option<string> Zone = new("--time-zone")
    {
        Description = "IANA name of the time zone.",
        HelpName = "ZONE",
        DefaultValueFactory = _ => "UTC",
    };

    public static Command Create(Terminal terminal) =>
        new ExampleCommand(
            "schedule",
            "Start runs by the clock: each makes new versions of what changed and reuses the rest. A worker has to be running "
                + "('electra up').",
            "schedule add nightly --cron \"30 2 * * *\" --time-zone Europe/Berlin configs/nightly.json",
            "schedule list"
        )
        {
            Add(terminal),
            List(terminal),
            Run(terminal),
            Remove(terminal),
        };

    private static ExampleCommand Add(Terminal terminal)
    {
        var command = new ExampleCommand(
            "add",
            "Make a schedule, or replace the one of this name.",
            "schedule add nightly --cron \"30 2 * * *\" configs/nightly.json"
        )
        {
            Name,
            Cron,
            Zone,
            Config,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                RunConfig config = RunConfigReader.ReadFile(parsed.GetRequiredValue(Config), CommonOptions.InputFoldersOf(parsed));
                return WithSchedulesAsync(
                    parsed,
                    cancellationToken,
                    async (schedules, _) =>
                    {
                        (string name, string cron, string zone) = (
                            parsed.GetRequiredValue(Name),
                            parsed.GetRequiredValue(Cron),
                            parsed.GetRequiredValue(Zone)
                        );
                        await schedules.SaveAsync(name, cron, zone, config, Workspace.Actor, cancellationToken);
                        DateTimeOffset? next = Schedules
                            .NextRuns(cron, zone, TimeProvider.System.GetUtcNow(), 1)
                            .Select(t => (DateTimeOffset?)t)
                            .FirstOrDefault();
                        terminal.Note(
                            next is null
                                ? $"schedule {name} is saved; it never fires"
                                : $"schedule {name} is saved; next run {next:yyyy-MM-dd HH:mm zzz}"
                        );
                        return ExitCode.Done;
                    }
                );
            }
        );
        return command;
    }

    private static ExampleCommand List(Terminal terminal)
    {
        var command = new ExampleCommand("list", "List the schedules.", "schedule list") { CommonOptions.Json };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
                IReadOnlyList<ScheduleRow> rows = await storage.Queries.SchedulesAsync(cancellationToken);
                if (parsed.GetValue(CommonOptions.Json))
                {
                    terminal.WriteJson(rows);
                    return ExitCode.Done;
                }

                var table = new Table { Border = TableBorder.Simple };
                table.AddColumns("name", "cron", "zone", "next", "last run");
                foreach (ScheduleRow row in rows)
                {
                    IReadOnlyList<DateTimeOffset> next = row.Enabled
                        ? Schedules.NextRuns(row.Cron, row.TimeZone, TimeProvider.System.GetUtcNow(), 1)
                        : [];
                    table.AddRow(
                        Markup.Escape(row.Name),
                        Markup.Escape(row.Cron),
                        Markup.Escape(row.TimeZone),
                        next.Count > 0 ? $"{next[0]:MM-dd HH:mm}"
                            : row.Enabled ? "never"
                            : "off",
                        row.LastRunId is { } run ? $"{run} {row.LastRunState?.ToString().ToLowerInvariant()}" : ""
                    );
                }

                terminal.Output.Write(table);
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static ExampleCommand Run(Terminal terminal)
    {
        var command = new ExampleCommand("run", "Start a run of a schedule now.", "schedule run nightly") { Name };
        command.SetAction(
            (parsed, cancellationToken) =>
                WithSchedulesAsync(
                    parsed,
                    cancellationToken,
                    async (schedules, _) =>
                    {
                        long id = await schedules.StartAsync(parsed.GetRequiredValue(Name), Workspace.Actor, cancellationToken);
                        terminal.Note($"run {id} is submitted; see: electra status {id}");
                        return ExitCode.Done;
                    }
                )
        );
        return command;
    }

    private static ExampleCommand Remove(Terminal terminal)
    {
        var command = new ExampleCommand("remove", "Remove a schedule; its runs and their versions stay.", "schedule remove nightly")
        {
            Name,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                WithSchedulesAsync(
                    parsed,
                    cancellationToken,
                    async (schedules, _) =>
                    {
                        string name = parsed.GetRequiredValue(Name);
                        return await schedules.RemoveAsync(name, Workspace.Actor, cancellationToken)
                            ? ExitCode.Done
                            : throw new UsageException($"there is no schedule '{name}'; see: electra schedule list");
                    }
                )
        );
        return command;
    }

    private static async Task<int> WithSchedulesAsync(
        ParseResult parsed,
        CancellationToken cancellationToken,
        Func<Schedules, ElectraStorage, Task<int>> action
    )
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        await using ElectraHost host = await ElectraHost.StartAsync(
            storage,
            new HostParts(null, null, LogToConsole: false),
            cancellationToken
        );
        return await action(host.Schedules, storage);
    }
}
