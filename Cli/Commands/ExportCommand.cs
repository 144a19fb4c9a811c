using System.CommandLine;
using System.Text.Json;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Training.Checkpoints;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Writes a model version as Hugging Face folders.</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Model = new("MODEL")
    {
        Description = "NAME, NAME@3 or NAME@ALIAS; NAME alone is NAME@latest.",
    };
    private static readonly Argument<string> Folder = new("DIR") { Description = "Folder to make; it must not exist, or be empty." };

    private static readonly Option<string> ElementType = new Option<string>("--dtype")
    {
        Description = "Element type of the weights.",
        DefaultValueFactory = _ => "float32",
    }.AcceptOnlyFromAmong([.. ModelExport.ElementTypes]);

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "export",
            "Write a model version as folders that Hugging Face loads: discriminator/, generator/, and finetuned/TASK/ for each task.",
            "export dotnet-docs exported",
            "export dotnet-docs@champion exported --dtype float16"
        )
        {
            Model,
            Folder,
            ElementType,
        };
        command.SetAction((parsed, cancellationToken) => ExportAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> ExportAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        string target = OutputFolder.RequireEmpty(parsed.GetRequiredValue(Folder));
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        ModelVersionRow row = await ModelReference.FindAsync(storage.Queries, parsed.GetRequiredValue(Model), cancellationToken);

        string elementType = parsed.GetRequiredValue(ElementType);
        OutputFolder.Fill(
            target,
            folder =>
            {
                CopyArtifact(row.Artifact, folder);
                using var finetuned = JsonDocument.Parse(row.Finetuned);
                foreach (JsonProperty task in finetuned.RootElement.EnumerateObject())
                {
                    CopyArtifact(task.Value.GetProperty("artifact").GetString()!, Path.Combine(folder, "finetuned", task.Name));
                }

                return folder;
            }
        );
        terminal.Note($"{row.Model}@{row.Version} is in {target}");
        return ExitCode.Done;

        void CopyArtifact(string digest, string folder)
        {
            if (storage.Artifacts.Verify(digest) is { } fault)
            {
                throw new UsageException($"the stored model is damaged: {fault}. Restore it from a copy, or run its config again.");
            }

            ModelExport.Copy(storage.Artifacts.Fetch(digest), folder, elementType, cancellationToken);
        }
    }
}
