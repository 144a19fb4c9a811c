using System.CommandLine;
using ElectraPipeline.Cli.Hosting;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Registry;
using ElectraPipeline.Training.Checkpoints.Import;
using Spectre.Console;

namespace ElectraPipeline.Cli.Commands;

/// <summary>Registers a model of another program.</summary>
internal static class ImportCommand
{
    private static readonly Argument<string> Source = new("SOURCE")
    {
        Description =
            "A Hugging Face folder (safetensors or pytorch_model.bin), a folder with discriminator/ and generator/, or the prefix of "
            + "an official TensorFlow checkpoint.",
    };

    private static readonly Option<string?> Name = new("--name") { Description = "Name to register it under.", HelpName = "NAME" };
    private static readonly Option<bool> Inspect = new("--inspect")
    {
        Description = "Only list the tensors: what becomes of each, and what is missing.",
    };
    private static readonly Option<string?> Generator = new("--generator")
    {
        Description = "Hugging Face folder of the generator.",
        HelpName = "DIR",
    };
    private static readonly Option<string?> Vocabulary = new("--vocab")
    {
        Description = "The vocab.txt. Default: the one beside the weights.",
        HelpName = "FILE",
    };
    private static readonly Option<bool> Cased = new("--cased")
    {
        Description = "Text keeps its case and accents. Default: as the tokenizer's files say, else it is lower-cased.",
    };

    private static readonly Option<int> HeadSize = new("--head-size")
    {
        Description = "TensorFlow: width of an attention head, which checkpoints do not say.",
        DefaultValueFactory = _ => 64,
        HelpName = "N",
    };

    public static Command Create(Terminal terminal)
    {
        var command = new ExampleCommand(
            "import",
            "Register a model that another program trained, to fine-tune (\"from\" in a config) and to export.",
            "import electra-small-discriminator --name electra-small",
            "import electra_small/electra_small --name official-small",
            "import pytorch_folder --inspect"
        )
        {
            Source,
            Name,
            Inspect,
            Generator,
            Vocabulary,
            Cased,
            HeadSize,
            CommonOptions.Json,
        };
        command.SetAction((parsed, cancellationToken) => ImportAsync(terminal, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> ImportAsync(Terminal terminal, ParseResult parsed, CancellationToken cancellationToken)
    {
        using ModelImport import = ModelImport.Open(
            new ImportRequest
            {
                Source = parsed.GetRequiredValue(Source),
                Generator = parsed.GetValue(Generator),
                Vocabulary = parsed.GetValue(Vocabulary),
                LowerCase = parsed.GetValue(Cased) ? false : null,
                HeadSize = parsed.GetValue(HeadSize),
            }
        );
        if (parsed.GetValue(Inspect))
        {
            Show(terminal, import, parsed.GetValue(CommonOptions.Json));
            return import.Faults.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        }

        string name = parsed.GetValue(Name) ?? throw new UsageException("name the model with --name, or look at the source with --inspect");
        if (!ModelReference.IsName(name))
        {
            throw new UsageException($"'{name}' is no name of a model: lower-case letters, digits and '-', at most 63, a letter first");
        }

        await using ElectraStorage storage = await Workspace.OpenAsync(parsed, cancellationToken);
        int version = await RegisterAsync(storage, import, name, cancellationToken);
        if (parsed.GetValue(CommonOptions.Json))
        {
            terminal.WriteJson(new { model = name, version });
        }
        else
        {
            terminal.Note(
                $"{name}@{version} is registered; fine-tune it with \"from\": \"{name}@{version}\" in a config, or: electra export "
                    + $"{name}@{version} DIR"
            );
        }

        return ExitCode.Done;
    }

    private static async Task<int> RegisterAsync(
        ElectraStorage storage,
        ModelImport import,
        string name,
        CancellationToken cancellationToken
    )
    {
        string folder = storage.Artifacts.CreateWorkFolder($"import.{Environment.ProcessId}");
        try
        {
            IReadOnlyList<ImportedFile> files = import.Write(folder);
            cancellationToken.ThrowIfCancellationRequested();
            SealedArtifact artifact = storage.Artifacts.Seal(folder, "model");
            var model = new NewModelVersion(
                name,
                artifact.Digest,
                CanonicalJson.Write(import.Models),
                Metrics: "{}",
                Dataset: null,
                DatasetVersion: null,
                Finetuned: "{}",
                CodeVersionOf.ThisProgram,
                RunId: null,
                ChampionMetric: "",
                CanonicalJson.Write(new { imported = new { format = import.Format, files } })
            );
            return await storage.Registry.ImportModelAsync(model, artifact, Workspace.Actor, cancellationToken);
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static void Show(Terminal terminal, ModelImport import, bool json)
    {
        if (json)
        {
            terminal.WriteJson(
                new
                {
                    import.Format,
                    import.Models,
                    import.Tensors,
                    import.Faults,
                }
            );
            return;
        }

        var table = new Table { Border = TableBorder.Simple };
        table.AddColumns("tensor of the source", "type", "shape", "becomes");
        foreach (ImportedTensor tensor in import.Tensors)
        {
            string becomes = tensor.Name is null
                ? $"[grey]left: {Markup.Escape(tensor.Note!)}[/]"
                : Markup.Escape($"{tensor.Model}: {tensor.Name}")
                    + (tensor.Note is null ? "" : $" [grey]({Markup.Escape(tensor.Note)})[/]");
            table.AddRow(
                Markup.Escape(tensor.Source.Name),
                Markup.Escape(tensor.Source.Type),
                $"{string.Join(" x ", tensor.Source.Shape)}",
                becomes
            );
        }

        terminal.Output.Write(table);
        foreach (ImportedModel model in import.Models)
        {
            terminal.Note(
                $"{model.Model}: {model.Architecture}, {model.Config.NumHiddenLayers} layers of {model.Config.HiddenSize}, "
                    + $"{model.Config.NumAttentionHeads} heads, embeddings {model.Config.VocabSize} x {model.Config.EmbeddingSize}"
            );
        }

        foreach (string fault in import.Faults)
        {
            terminal.Fail(fault);
        }
    }
}
