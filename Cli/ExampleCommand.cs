using System.CommandLine;

namespace ElectraPipeline.Cli;

/// <summary>A command whose --help ends in examples.</summary>
internal sealed class ExampleCommand(string name, string description, params string[] examples) : Command(name, description)
{
    /// <summary>Command lines that work as they stand, without "electra".</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}
