using System.CommandLine;

namespace ElectraPipeline.Cli.Commands;

/// <summary>The run a command is about.</summary>
internal static class RunIdArgument
{
    public static Argument<long> Create() => new("RUN") { Description = "Number of the run, as 'electra status' shows it." };
}
