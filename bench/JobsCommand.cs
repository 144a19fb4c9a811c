using System.CommandLine;
using Spectre.Console;

namespace ElectraPipeline.Bench;

/// <summary>How fast stages follow each other, how many a second, and what history costs.</summary>
internal static class JobsCommand
{
    public static Command Create()
    {
        var hops = new Option<int>("--hops")
        {
            DefaultValueFactory = _ => 30,
            Description = "runs for the time from a stage's end to its successor's start",
        };
        var shards = new Option<int>("--shards") { DefaultValueFactory = _ => 10_000, Description = "shard stages in one run; 0: skip" };
        var runs = new Option<int>("--runs") { DefaultValueFactory = _ => 200, Description = "runs at once; 0: skip" };
        var history = new Option<int>("--history")
        {
            DefaultValueFactory = _ => 1_000_000,
            Description = "finished stage runs for the relay to live with; 0: skip",
        };
        var bare = new Option<int>("--bare") { DefaultValueFactory = _ => 3_000, Description = "empty jobs of bare Hangfire; 0: skip" };
        var command = new Command(
            "jobs",
            "Hops between stages, stages a second beside bare Hangfire, and the relay's cost as history grows"
        )
        {
            hops,
            shards,
            runs,
            history,
            bare,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using JobsLoad load = await JobsLoad.StartAsync(cancellationToken);
                var table = new Table { Border = TableBorder.Simple };
                table.AddColumn("measured").AddColumn(new TableColumn("value").RightAligned());
                foreach (
                    (string what, string value) in await load.MeasureAsync(
                        parsed.GetValue(hops),
                        parsed.GetValue(shards),
                        parsed.GetValue(runs),
                        parsed.GetValue(history),
                        parsed.GetValue(bare),
                        cancellationToken
                    )
                )
                {
                    table.AddRow(what, value);
                }

                AnsiConsole.Write(table);
            }
        );
        return command;
    }
}
