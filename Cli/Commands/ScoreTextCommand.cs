using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Training.Scoring;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Says how likely a model holds texts.</summary>
internal static class ScoreTextCommand
{
    private const int LinesAtOnce = 64;

    private static readonly JsonSerializerOptions JsonLine = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly Argument<string> Model = new("MODEL")
    {
        Description = "A model's folder, or NAME, NAME@3, NAME@ALIAS of the registry.",
    };

    private static readonly Option<string> Input = new("--input")
    {
        Required = true,
        Description = "A file with a text on each line; - is standard input.",
    };

    private static readonly Option<string> Device = new("--device")
    {
        DefaultValueFactory = _ => "auto",
        Description = "auto, cpu or cuda.",
    };

    public static Command Create()
    {
        var command = new ExampleCommand(
            "score-text",
            "Print the pseudo-log-likelihood of each line of text: score in nats, tokens, text. Models trained with objective "
                + "\"electric\" need one pass a text, masked language models one a token.",
            "score-text exported --input texts.txt",
            "score-text dotnet-docs@latest --input - --json"
        )
        {
            Model,
            Input,
            Device,
            CommonOptions.Json,
        };
        command.SetAction(ScoreAsync);
        return command;
    }

    private static async Task<int> ScoreAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string path = parsed.GetRequiredValue(Input);
        if (path != "-" && !File.Exists(path))
        {
            throw new UsageException($"input not found: {path}; name a file, or - for standard input");
        }

        string folder = await FolderOfAsync(parsed, cancellationToken);
        using TextScorer scorer = TextScorer.Open(folder, parsed.GetRequiredValue(Device));
        foreach (string[] lines in Lines(path).Chunk(LinesAtOnce))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (TextScore score in scorer.Score(lines))
            {
                Console.Out.WriteLine(
                    parsed.GetValue(CommonOptions.Json)
                        ? JsonSerializer.Serialize(score, JsonLine)
                        : string.Create(CultureInfo.InvariantCulture, $"{score.Score:F4}\t{score.Tokens}\t{score.Text}")
                );
            }
        }

        return ExitCode.Done;
    }

    private static IEnumerable<string> Lines(string path)
    {
        using TextReader reader = path == "-" ? new StreamReader(Console.OpenStandardInput()) : File.OpenText(path);
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private static async Task<string> FolderOfAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        string model = parsed.GetRequiredValue(Model);
        if (Directory.Exists(model))
        {
            return Path.GetFullPath(model);
        }

        ModelReference reference = ModelReference.Parse(model);
        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        ModelVersionRow row =
            await storage.Queries.ModelVersionAsync(reference.Model, reference.Version, cancellationToken)
            ?? throw new UsageException($"{model} is neither a folder nor a model of the registry; see: electra models");
        return storage.Artifacts.Fetch(row.Artifact);
    }
}
