using System.CommandLine;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Compares shards with their hashes and manifests.</summary>
internal static class ShardsVerifyCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "verify",
            "Verify every byte of shards and their manifests. Names each damaged block with file and offset; exit code 1 if there is one.",
            "shards verify data/objects",
            "shards verify train.shard --json"
        )
        {
            ShardsCommand.Source,
            CommonOptions.Json,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Verify(terminal, parsed, cancellationToken)));
        return command;
    }

    private static int Verify(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        ShardVerification result = ShardVerifier.Verify(parsed.GetRequiredValue(ShardsCommand.Source), cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(result);
        }
        else
        {
            foreach (ShardFault fault in result.Faults)
            {
                terminal.Fail($"{fault}");
            }

            string verdict =
                result.Faults.Count == 0
                    ? "all whole"
                    : $"{result.Faults.Count} fault(s): tokenize again, or restore the files from a copy";
            terminal.Note($"{result.Files} shards, {result.Examples:N0} examples, {result.Bytes / 1e6:N1} MB: {verdict}");
        }

        return result.Faults.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
