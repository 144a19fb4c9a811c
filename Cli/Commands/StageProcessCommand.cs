using System.CommandLine;
using ElectraPipeline.Jobs.Child;

namespace ElectraPipeline.Cli.Commands;

/// <summary>The child process that a worker starts for a training stage; nothing for people.</summary>
internal static class StageProcessCommand
{
    /// <summary>Name of the command. It reports by JSON lines on standard output and handles its signals itself.</summary>
    public const string Name = "stage-process";

    public static Command Create()
    {
        var order = new Argument<string>("ORDERFILE");
        var command = new Command(Name, "Do one stage's work as a worker's child.") { order };
        command.Hidden = true;
        command.SetAction(parsed => StageProcess.Main(parsed.GetRequiredValue(order)));
        return command;
    }
}
