using System.CommandLine;
using ElectraPipeline.Training.Verification;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Compares this program's arithmetic with another implementation's.</summary>
internal static class VerifyCommand
{
    private static readonly Argument<string> Folder = new("DIR") { Description = "Folder with discriminator/, generator/, forward.safetensors and training.*" };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "verify", "Compare forward pass and training steps with numbers that another implementation recorded.", "verify golden/electra-tiny")
        {
            Folder,
            CommonOptions.Json,
        };
        command.SetAction(parsed => Verify(terminal, Path.GetFullPath(parsed.GetRequiredValue(Folder)), parsed.GetValue(CommonOptions.Json)));
        return command;
    }

    private static int Verify(Terminal terminal, string folder, bool json)
    {
        IReadOnlyList<GoldenDifference> differences = GoldenVerification.Run(folder);
        if (json)
        {
            terminal.WriteJson(differences);
        }
        else
        {
            var table = new Table { Border = TableBorder.Simple };
            table.AddColumns("compared", "difference", "allowed", "");
            foreach (GoldenDifference difference in differences)
            {
                table.AddRow(
                    Markup.Escape(difference.Name), $"{difference.Difference:0.0e+0}", $"{difference.Tolerance:0.0e+0}", difference.Passed ? "[green]ok[/]" : "[red]differs[/]");
            }

            terminal.Output.Write(table);
        }

        return differences.All(d => d.Passed) ? ExitCode.Done : ExitCode.Failed;
    }
}
