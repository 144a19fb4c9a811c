using System.CommandLine;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Everything about shard files, without a database.</summary>
internal static class ShardsCommand
{
    /// <summary>A shard, or a folder of them.</summary>
    public static readonly Argument<string> Path = new("PATH") { Description = "A shard (*.shard), or a folder with shards in it or below it." };

    public static Command Create(Terminal terminal) => new ExampleCommand(
        "shards", "Look into shards of training examples, verify, export and import them.", "shards verify data/objects")
    {
        ShardsInspectCommand.Create(terminal),
        ShardsVerifyCommand.Create(terminal),
    };
}
