using System.CommandLine;

namespace ElectraPipeline.Cli.Commands;

/// <summary>The config a command is about.</summary>
internal static class ConfigArgument
{
    public static Argument<string> Create() => new("CONFIG") { Description = "JSON file; the folder configs/ has examples." };
}
