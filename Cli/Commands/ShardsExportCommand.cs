using System.CommandLine;
using ElectraPipeline.Training.Shards.Exchange;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Writes the examples of shards for other programs.</summary>
internal static class ShardsExportCommand
{
    private static readonly Option<string> Format = CreateFormat();

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "export",
            "Write the examples of shards as indexed data sets of Megatron-LM (.bin and .idx) or as Parquet.",
            "shards export shards --format megatron --output exported",
            "shards export shards --format parquet --output tables"
        )
        {
            ShardsCommand.Source,
            Format,
            ShardsCommand.Output,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Export(terminal, parsed, cancellationToken)));
        return command;
    }

    private static Option<string> CreateFormat()
    {
        var format = new Option<string>("--format") { Required = true, Description = "Format to write." };
        format.AcceptOnlyFromAmong([.. ShardExport.Formats]);
        return format;
    }

    private static int Export(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        long examples = ShardsCommand.FillOutput(
            parsed,
            folder =>
                ShardExport.Run(parsed.GetRequiredValue(ShardsCommand.Source), parsed.GetRequiredValue(Format), folder, cancellationToken)
        );
        terminal.Note($"{examples:N0} examples are in {Path.GetFullPath(parsed.GetRequiredValue(ShardsCommand.Output))}");
        return ExitCode.Done;
    }
}
