using System.CommandLine;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Configuration;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Shows and checks config files, without a database.</summary>
internal static class ConfigCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> file = ConfigArgument.Create();
        var show = new ExampleCommand("show", "Print a config with every default and with absolute paths.", "config show configs/demo.json")
        {
            file,
        };
        show.SetAction(parsed =>
        {
            // Without what only a stored config has, so that it can be read again.
            terminal.WriteJson(
                RunConfigReader.ReadFile(parsed.GetRequiredValue(file), CommonOptions.InputFoldersOf(parsed)) with
                {
                    Inputs = null,
                }
            );
            return ExitCode.Done;
        });

        var check = new ExampleCommand(
            "check",
            "Name every fault of a config; exit code 2 if there are any.",
            "config check configs/demo.json"
        )
        {
            file,
        };
        check.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file);
            RunConfig config = RunConfigReader.ReadFile(path, CommonOptions.InputFoldersOf(parsed));
            terminal.Note($"{path} is good: {Pipeline.GraphOf(config).Count} stage runs make dataset and model '{config.Name}'");
            return ExitCode.Done;
        });
        return new ExampleCommand("config", "Show and check config files.", "config check configs/demo.json") { show, check };
    }
}
