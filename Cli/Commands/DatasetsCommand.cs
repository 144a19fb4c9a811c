using System.CommandLine;
using System.Text.Json;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Dataset versions.</summary>
internal static class DatasetsCommand
{
    private static readonly Argument<string?> Name = new("NAME") { Description = "Only this dataset.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand("datasets", "List dataset versions.", "datasets", "datasets dotnet-docs --json")
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
        IReadOnlyList<DatasetVersionRow> versions = await storage.Queries.DatasetVersionsAsync(parsed.GetValue(Name), cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(
                versions.Select(v => new
                {
                    v.Dataset,
                    v.Version,
                    v.Digest,
                    v.Corpus,
                    v.Vocabulary,
                    v.Shards,
                    Manifest = JsonElement.Parse(v.Manifest),
                    v.RunId,
                    v.CreatedAt,
                })
            );
            return ExitCode.Done;
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("dataset", "version", "digest", "shards", "run", "made");
        foreach (DatasetVersionRow version in versions)
        {
            table.AddRow(
                Markup.Escape(version.Dataset),
                $"{version.Version}",
                version.Digest[..12],
                $"{version.Shards.Length}",
                $"{version.RunId}",
                Durations.Ago(version.CreatedAt, now)
            );
        }

        terminal.Output.Write(table);
        return ExitCode.Done;
    }
}
