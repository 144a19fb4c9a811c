using System.CommandLine;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Everything about shard files, without a database.</summary>
internal static class ShardsCommand
{
    private static readonly ExampleOptions Defaults = new();

    /// <summary>A shard, or a folder of them.</summary>
    public static readonly Argument<string> Source = new("PATH")
    {
        Description = "A shard (*.shard), or a folder with shards in it or below it.",
    };

    /// <summary>A folder that a command fills.</summary>
    public static readonly Option<string> Output = new("--output")
    {
        Required = true,
        Description = "Folder to make; it must not exist, or be empty.",
        HelpName = "DIR",
    };

    /// <summary>How text became words.</summary>
    public static readonly Option<bool> Cased = new("--cased") { Description = "Keep case and accents." };

    /// <summary>Length of examples.</summary>
    public static readonly Option<int> SequenceLength = new("--sequence-length")
    {
        DefaultValueFactory = _ => Defaults.SequenceLength,
        Description = "Tokens an example holds at most.",
    };

    /// <summary>Share held out.</summary>
    public static readonly Option<double> HeldOutShare = new("--held-out-share")
    {
        DefaultValueFactory = _ => Defaults.HeldOutShare,
        Description = "Share of documents held out, chosen by the hash of their text.",
    };

    /// <summary>Seed of the draws.</summary>
    public static readonly Option<int> Seed = new("--seed")
    {
        DefaultValueFactory = _ => 42,
        Description = "Seed of segments and lengths.",
    };

    public static Command Create(Terminal terminal) =>
        new ExampleCommand(
            "shards",
            "Build shards of training examples, look into them, verify, export and import them.",
            "shards verify data/objects"
        )
        {
            ShardsBuildCommand.Create(terminal),
            ShardsInspectCommand.Create(terminal),
            ShardsVerifyCommand.Create(terminal),
            ShardsExportCommand.Create(terminal),
            ShardsImportCommand.Create(terminal),
        };

    /// <summary>The tokenizer that <see cref="Cased"/> means.</summary>
    public static TokenizerOptions TokenizerOf(ParseResult parsed) => new() { LowerCase = !parsed.GetValue(Cased) };

    /// <summary>The example options that the command line gives.</summary>
    public static ExampleOptions ExamplesOf(ParseResult parsed) =>
        new() { SequenceLength = parsed.GetValue(SequenceLength), HeldOutShare = parsed.GetValue(HeldOutShare) };

    /// <summary>Fills the output folder; see <see cref="OutputFolder.Fill"/>.</summary>
    public static T FillOutput<T>(ParseResult parsed, Func<string, T> fill) => OutputFolder.Fill(parsed.GetRequiredValue(Output), fill);
}
