using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ElectraPipeline.Cli;

/// <summary>The usual help, no wider than 80 columns, and then the command's examples.</summary>
internal sealed class HelpWithExamples : SynchronousCommandLineAction
{
    private readonly HelpAction usual;

    public HelpWithExamples(HelpAction usual)
    {
        usual.MaxWidth = Terminal.PlainWidth;
        this.usual = usual;
    }

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is ExampleCommand { Examples.Count: > 0 } command)
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine(command.Examples.Count == 1 ? "Example:" : "Examples:");
            foreach (string example in command.Examples)
            {
                output.WriteLine($"  electra {example}");
            }

            output.WriteLine();
        }

        return code;
    }
}
