using System.CommandLine;
using System.Text.Json;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.ReadModels;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Writes a model version as Hugging Face folders.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Model = new("MODEL") { Description = "NAME, NAME@3 or NAME@ALIAS; NAME alone is NAME@latest." };
    private static readonly Argument<string> Folder = new("DIR") { Description = "Folder to make; it must not exist, or be empty." };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "export",
            "Write a model version as folders that Hugging Face loads: discriminator/, generator/, and finetuned/TASK/ for each task.",
            "export dotnet-docs exported",
            "export dotnet-docs@champion exported")
        {
            Model,
            Folder,
        };
        command.SetAction((parsed, cancellationToken) => ExportAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> ExportAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        (string name, string version) = Split(parsed.GetRequiredValue(Model));
        string target = Path.GetFullPath(parsed.GetRequiredValue(Folder));
        RefuseOccupied(target);
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        ModelVersionRow row = await storage.Queries.ModelVersionAsync(name, version, cancellationToken)
            ?? throw new UsageException($"there is no model {name}@{version}; see: electra models");

        // All of it appears at once: a reader never finds half a model under the final name.
        string temporary = $"{target}.{Environment.ProcessId}.new";
        try
        {
            CopyArtifact(storage.Artifacts, row.Artifact, temporary, cancellationToken);
            using var finetuned = JsonDocument.Parse(row.Finetuned);
            foreach (JsonProperty task in finetuned.RootElement.EnumerateObject())
            {
                CopyArtifact(
                    storage.Artifacts, task.Value.GetProperty("artifact").GetString()!, Path.Combine(temporary, "finetuned", task.Name), cancellationToken);
            }

            Publish(temporary, target);
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }

        terminal.Note($"{row.Model}@{row.Version} is in {target}");
        return ExitCode.Done;
    }

    private static (string Name, string Version) Split(string text)
    {
        int at = text.IndexOf('@');
        return at < 0 ? (text, "latest") : (text[..at], text[(at + 1)..]);
    }

    private static void RefuseOccupied(string target)
    {
        if (File.Exists(target) || (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any()))
        {
            throw new UsageException($"{target} exists and is not empty; name another folder, or remove it");
        }
    }

    private static void CopyArtifact(ArtifactStore artifacts, string digest, string folder, CancellationToken cancellationToken)
    {
        if (artifacts.Verify(digest) is { } fault)
        {
            throw new UsageException($"the stored model is damaged: {fault}. Restore it from a copy, or run its config again.");
        }

        string source = artifacts.PathOf(digest);
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            cancellationToken.ThrowIfCancellationRequested();
            string copy = Path.Combine(folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private static void Publish(string temporary, string target)
    {
        if (Directory.Exists(target))
        {
            Directory.Delete(target); // empty, or this fails
        }

        Directory.Move(temporary, target);
    }
}
