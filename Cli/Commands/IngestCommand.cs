using System.CommandLine;
using ElectraPipeline.Cli.Rendering;
using ElectraPipeline.Cli.Watching;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Reads texts of all formats into a corpus, as the stage of a run does, without a run.</summary>
internal static class IngestCommand
{
    private static readonly Option<string[]> Input = new("--input")
    {
        AllowMultipleArgumentsPerToken = true,
        Description = "Files, folders and globs of any mix of formats. Default: those of --config.",
    };

    private static readonly Option<string?> Config = new("--config")
    {
        Description = "The config of a run, whose corpus options are taken: filters, parts, rejects.",
    };

    private static readonly Option<string> Output = new("--output") { Required = true, Description = "The corpus folder to make." };
    private static readonly Option<string?> Cache = new("--cache")
    {
        Description =
            "A folder that keeps what reading each file gave: the next time only files that are new or changed are read. "
            + "It changes no byte of the result.",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "ingest",
            "Read texts of any format into a corpus and say what became of every record, without a run and a database.",
            "ingest --input books/ --output corpus",
            "ingest --config configs/demo.json --output corpus --cache kept --json"
        )
        {
            Input,
            Config,
            Output,
            Cache,
            CommonOptions.Threads,
            CommonOptions.Json,
        };
        command.SetAction((parsed, cancellationToken) => Task.FromResult(Ingest(terminal, parsed, cancellationToken)));
        return command;
    }

    private static int Ingest(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        CorpusOptions options = OptionsOf(parsed);
        string? cache = parsed.GetValue(Cache) is { Length: > 0 } folder ? Path.GetFullPath(folder) : null;
        IngestResult result;
        using (var progress = new ProgressLine(terminal))
        {
            result = OutputFolder.Fill(
                parsed.GetRequiredValue(Output),
                output => IngestProgram.Run(options, output, progress, cancellationToken, cache, parsed.GetValue(CommonOptions.Threads))
            );
        }

        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(new { result.FilesReused, result.Manifest });
        }
        else
        {
            CorpusTables.Write(terminal, result);
        }

        string made = Path.GetFullPath(parsed.GetRequiredValue(Output));
        terminal.Note(
            $"{result.Documents:N0} documents in {result.Manifest.Parts.Count} parts are in {made}; "
                + $"{result.FilesReused:N0} of {result.Manifest.Inputs.Count:N0} files were unchanged and not read"
        );
        return ExitCode.Done;
    }

    private static CorpusOptions OptionsOf(ParseResult parsed)
    {
        string[] inputs = [.. parsed.GetValue(Input) ?? []];
        string? config = parsed.GetValue(Config);
        CorpusOptions options =
            config is not null ? RunConfigReader.ReadFile(config, CommonOptions.InputFoldersOf(parsed)).Corpus
            : inputs.Length > 0 ? new CorpusOptions { Paths = [] }
            : throw new UsageException("nothing to read; name files with --input, or a config with --config");
        return inputs.Length == 0 ? options : options with { Paths = inputs };
    }
}
