using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;
using Spectre.Console;
using TorchSharp;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Looks at everything that could be wrong with an installation and says what to do.</summary>
internal static class DoctorCommand
{
    private static readonly Option<bool> Deep = new("--deep")
    {
        Description = "Read every sealed folder, not only those of registered versions.",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "doctor",
            "Examine the data folder, the database and LibTorch, and say what to do. Exit code 1 if something is lost or broken.",
            "doctor",
            "doctor --deep"
        )
        {
            Deep,
            CommonOptions.Json,
        };
        command.SetAction((parsed, cancellationToken) => ExamineAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> ExamineAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenExistingAsync(parsed, cancellationToken);
        var findings = new List<Finding>();
        var examination = new StorageExamination(storage, TimeProvider.System);
        await foreach (Finding finding in examination.ExamineAsync(parsed.GetValue(Deep), cancellationToken))
        {
            findings.Add(finding);
        }

        findings.Add(LibTorch());
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(findings);
        }
        else
        {
            Write(terminal, findings);
        }

        return findings.Any(finding => finding.Severity == Severity.Fault) ? ExitCode.Failed : ExitCode.Done;
    }

    private static void Write(Terminal terminal, IReadOnlyList<Finding> findings)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("", "examined", "found");
        foreach (Finding finding in findings)
        {
            string mark = finding.Severity switch
            {
                Severity.Good => "[green]ok[/]",
                Severity.Warning => "[yellow]![/]",
                _ => "[red]FAULT[/]",
            };
            table.AddRow(mark, Markup.Escape(finding.Subject), Markup.Escape(finding.Detail));
        }

        terminal.Output.Write(table);
        foreach (Finding finding in findings.Where(finding => finding.Remedy is not null))
        {
            terminal.Note($"{finding.Subject}: {finding.Remedy}");
        }
    }

    private static Finding LibTorch()
    {
        const string Subject = "LibTorch";
        TextWriter output = Console.Out;
        try
        {
            Console.SetOut(TextWriter.Null); // TorchSharp writes there where it looked
            torch.set_num_threads(1);
            using torch.Tensor sum = torch.ones(2, 2).sum();
            string devices = torch.cuda.is_available() ? $"{torch.cuda.device_count()} CUDA devices" : "no CUDA device";
            return new(Subject, Severity.Good, $"loads and computes, {devices}");
        }
        catch (Exception e)
        {
            string first = e.GetBaseException().Message.Split('\n')[0].TrimEnd();
            return new(Subject, Severity.Fault, first, "install GCC's OpenMP runtime (Debian: libgomp1) and build again");
        }
        finally
        {
            Console.SetOut(output);
        }
    }
}
