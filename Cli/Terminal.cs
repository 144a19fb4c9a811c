using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace ElectraPipeline.Cli;

/// <summary>What the user sees: results on standard output, everything else on standard error.</summary>
internal sealed class Terminal
{
    /// <summary>Columns of a terminal nobody measured: tables and help fit it.</summary>
    public const int PlainWidth = 80;

    private static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private Terminal(IAnsiConsole output, IAnsiConsole error)
    {
        Output = output;
        Error = error;
    }

    /// <summary>Results: tables, JSON, addresses.</summary>
    public IAnsiConsole Output { get; }

    /// <summary>Progress, warnings and errors.</summary>
    public IAnsiConsole Error { get; }

    /// <summary>Whether a person watches standard error, so that progress bars may move.</summary>
    public bool Interactive { get; private init; }

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        IAnsiConsole error = Create(Console.Error, Console.IsErrorRedirected);
        return new Terminal(Create(Console.Out, Console.IsOutputRedirected), error)
        {
            Interactive = !Console.IsErrorRedirected && error.Profile.Capabilities.Ansi,
        };
    }

    /// <summary>A line of plain text on standard error.</summary>
    public void Note(string text) => Error.Profile.Out.Writer.WriteLine(text); // not folded: a log's lines stay whole

    /// <summary>An error for the user: one paragraph, no stack trace.</summary>
    public void Fail(string message)
    {
        Error.Markup("[red]error:[/] ");
        Note(message);
    }

    /// <summary>Writes <paramref name="value"/> as indented JSON, names in camelCase, times in ISO 8601.</summary>
    public void WriteJson<T>(T value) => Output.Profile.Out.Writer.WriteLine(JsonSerializer.Serialize(value, JsonOptions));

    private static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        IAnsiConsole console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
                ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
                Interactive = redirected ? InteractionSupport.No : InteractionSupport.Detect,
            }
        );
        if (redirected)
        {
            console.Profile.Width = PlainWidth;
        }

        return console;
    }
}
