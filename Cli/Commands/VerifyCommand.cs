using System.CommandLine;
using ElectraPipeline.Training.Verification;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Compares this program's arithmetic with another implementation's.</summary>
internal static class VerifyCommand
{
    private static readonly Argument<string> Folder = new("DIR")
    {
        Description = "Folder with discriminator/, generator/, heads/, forward.safetensors and training.*",
    };

    private static readonly Option<string> Device = new("--device")
    {
        DefaultValueFactory = _ => "cpu",
        Description = "cpu, cuda, or auto for cuda where there is one.",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "verify",
            "Compare forward pass and training steps with numbers that another implementation recorded.",
            "verify golden/electra-tiny"
        )
        {
            Folder,
            Device,
            CommonOptions.Json,
        };
        command.SetAction(parsed =>
            Verify(
                terminal,
                Path.GetFullPath(parsed.GetRequiredValue(Folder)),
                parsed.GetRequiredValue(Device),
                parsed.GetValue(CommonOptions.Json)
            )
        );
        return command;
    }

    private static int Verify(Terminal terminal, string folder, string device, bool json)
    {
        IReadOnlyList<GoldenDifference> differences = GoldenVerification.Run(folder, device);
        int differing = differences.Count(difference => !difference.Passed);
        if (json)
        {
            terminal.WriteJson(differences);
        }
        else
        {
            var table = new Table { Border = TableBorder.Simple };
            table.AddColumns("compared", "absolute", "relative", "allowed", "");
            foreach (GoldenDifference difference in differences)
            {
                table.AddRow(
                    Markup.Escape(difference.Name),
                    Figure(difference.Absolute),
                    Figure(difference.Relative),
                    $"{difference.Allowed:0.0e+0}",
                    difference.Passed ? "[green]ok[/]" : "[red]differs[/]"
                );
            }

            terminal.Output.Write(table);
            terminal.Output.WriteLine(
                differing == 0
                    ? $"all {differences.Count} comparisons are within tolerance"
                    : $"{differing} of {differences.Count} comparisons differ"
            );
        }

        return differing == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static string Figure(double? value) => value is null ? "none" : $"{value:0.0e+0}";
}
