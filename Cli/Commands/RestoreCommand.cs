using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Makes a data folder from a backup.</summary>
internal static class RestoreCommand
{
    private static readonly Argument<string> Folder = new("DIR") { Description = "A folder that 'electra backup' made." };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "restore",
            "Make a new data folder and its database from a backup. Runs that were under way go on with the next worker.",
            "restore /backups/electra-monday --data data-restored"
        )
        {
            Folder,
        };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                StorageOptions options = CommonOptions.StorageOf(parsed);
                BackupManifest manifest = await Backup.RestoreAsync(
                    parsed.GetRequiredValue(Folder),
                    options,
                    Workspace.Actor,
                    cancellationToken
                );
                terminal.Note(
                    $"{options.DataFolder} is as of {manifest.MadeAt:yyyy-MM-dd HH:mm:ss} UTC, with {manifest.Artifacts.Count} "
                        + "sealed folders"
                );
                terminal.Note("look it over: electra doctor --deep");
                return ExitCode.Done;
            }
        );
        return command;
    }
}
