using System.CommandLine;
using System.Text.Json;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Model versions.</summary>
internal static class ModelsCommand
{
    private static readonly Argument<string?> Name = new("NAME") { Description = "Only this model.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "models",
            "List model versions with their held-out metrics.",
            "models",
            "models dotnet-docs --json"
        )
        {
            Name,
            CommonOptions.Json,
        };
        command.SetAction((parsed, cancellationToken) => ShowAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> ShowAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        IReadOnlyList<ModelVersionRow> versions = await storage.Queries.ModelVersionsAsync(parsed.GetValue(Name), cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(
                versions.Select(v => new
                {
                    v.Model,
                    v.Version,
                    v.Aliases,
                    v.Artifact,
                    Metrics = JsonElement.Parse(v.Metrics),
                    v.Dataset,
                    v.DatasetVersion,
                    Finetuned = JsonElement.Parse(v.Finetuned),
                    Config = JsonElement.Parse(v.Config),
                    v.CodeVersion,
                    v.RunId,
                    Source = v.Source is { } source ? JsonElement.Parse(source) : (JsonElement?)null,
                    v.CreatedAt,
                })
            );
            return ExitCode.Done;
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("model", "version", "aliases", "dataset", "MLM loss", "RTD AUC", "made");
        foreach (ModelVersionRow version in versions)
        {
            using var metrics = JsonDocument.Parse(version.Metrics);
            table.AddRow(
                Markup.Escape(version.Model),
                $"{version.Version}",
                Markup.Escape(string.Join(", ", version.Aliases)),
                version.Dataset is { } dataset ? $"{Markup.Escape(dataset)} {version.DatasetVersion}" : "[grey]imported[/]",
                HeldOut.Text(metrics.RootElement, HeldOut.LossOf(metrics.RootElement)),
                HeldOut.Text(metrics.RootElement, HeldOut.Auc),
                Durations.Ago(version.CreatedAt, now)
            );
        }

        terminal.Output.Write(table);
        return ExitCode.Done;
    }
}
