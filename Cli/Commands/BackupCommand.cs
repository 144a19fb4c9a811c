using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Copies database and sealed folders to a folder.</summary>
internal static class BackupCommand
{
    private static readonly Argument<string> Folder = new("DIR") { Description = "Folder to make; it must not exist." };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "backup",
            "Copy the database and every sealed folder, each checked against its digest. Workers may go on meanwhile.",
            "backup /backups/electra-monday"
        )
        {
            Folder,
        };
        command.SetAction((parsed, cancellationToken) => WriteAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> WriteAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        string target = parsed.GetRequiredValue(Folder);
        await using ElectraStorage storage = await Workspace.OpenExistingAsync(parsed, cancellationToken);
        BackupManifest manifest = await Backup.WriteAsync(storage, target, (done, total) => Note(terminal, done, total), cancellationToken);
        await storage.Audit.RecordAsync(Workspace.Actor, "backup", Path.GetFullPath(target), CancellationToken.None);
        terminal.Note(
            $"{target} holds the database and {manifest.Artifacts.Count} sealed folders; bring it back with: electra restore "
                + $"{target} --data NEWDIR"
        );
        return ExitCode.Done;
    }

    private static void Note(Terminal terminal, int done, int total)
    {
        const int Often = 100;
        if (done % Often == 0 || done == total)
        {
            terminal.Note($"{done:#,0} / {total:#,0} sealed folders copied");
        }
    }
}
