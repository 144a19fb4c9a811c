using System.CommandLine;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Everything about shard files, without a database.</summary>
internal static class ShardsCommand
{
    /// <summary>A shard, or a folder of them.</summary>
    public static readonly Argument<string> Source = new("PATH") { Description = "A shard (*.shard), or a folder with shards in it or below it." };

    /// <summary>A folder that a command fills.</summary>
    public static readonly Option<string> Output = new("--output") { Required = true, Description = "Folder to make; it must not exist, or be empty.", HelpName = "DIR" };

    public static Command Create(Terminal terminal) => new ExampleCommand(
        "shards", "Build shards of training examples, look into them, verify, export and import them.", "shards verify data/objects")
    {
        ShardsBuildCommand.Create(terminal),
        ShardsInspectCommand.Create(terminal),
        ShardsVerifyCommand.Create(terminal),
    };

    /// <summary>The folder of <see cref="Output"/>, absolute.</summary>
    /// <exception cref="UsageException">Something is there.</exception>
    public static string EmptyOutputOf(ParseResult parsed)
    {
        string folder = Path.GetFullPath(parsed.GetRequiredValue(Output));
        return File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
            ? throw new UsageException($"{folder} exists and is not empty; name another folder, or remove it")
            : folder;
    }
}
