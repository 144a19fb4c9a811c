using System.Text.Json;
using System.Text.Json.Nodes;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Registry;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Registers the dataset version and the model version, in the transaction that ends the run.</summary>
internal sealed class RegisterStage() : Stage("register", codeVersion: 1)
{
    /// <summary>
    /// More is better: the alias "champion" moves to the version with the highest. Models without a detection head have the other.
    /// </summary>
    private const string DetectionMetric = "heldout/discriminator_auc";
    private const string LanguageModelMetric = "heldout/language_model_accuracy";

    public override IReadOnlyList<string> FilesOfConfig => [];

    // A version belongs to its name: the same model under another name is registered there too.
    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files) =>
        [config.Name, CanonicalJson.Ingredient(config with { Inputs = null })];

    public override Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        string lineage = CanonicalJson.Write(
            new
            {
                name = context.Config.Name,
                inputs = context.Inputs.Select(input => new
                {
                    input.Stage,
                    input.Shard,
                    input.Digest,
                }),
                config = context.Config,
            }
        );
        DurableFile.WriteText(Path.Combine(context.OutputFolder, "lineage.json"), lineage);
        return Task.FromResult<string?>(null);
    }

    public override Func<StorageTransaction, Task<string?>>? Publication(StageContext context) =>
        async transaction =>
        {
            string name = context.Config.Name;
            if (context.Config.From is { } from)
            {
                var origin = await ModelReference.FindAsync(context.Storage.Queries, from);
                int tuned = await ModelRegistry.AddModelAsync(transaction, ModelOf(context, origin));
                return CanonicalJson.Write(new { model = name, modelVersion = tuned });
            }

            int dataset = await ModelRegistry.AddDatasetAsync(transaction, DatasetOf(context));
            int model = await ModelRegistry.AddModelAsync(transaction, ModelOf(context, dataset));
            return CanonicalJson.Write(
                new
                {
                    dataset = name,
                    datasetVersion = dataset,
                    model = name,
                    modelVersion = model,
                }
            );
        };

    private static NewDatasetVersion DatasetOf(StageContext context)
    {
        string corpus = context.Input("ingest").Digest;
        string vocabulary = context.Input("vocabulary").Digest;
        string[] shards = [.. context.Inputs.Where(input => input.Stage == "tokenize").Select(input => input.Digest)];
        var manifest = new JsonObject
        {
            ["corpus"] = JsonNode.Parse(File.ReadAllText(Path.Combine(context.FolderOf("ingest"), "manifest.json"))),
            ["vocabulary"] = JsonSerializer.SerializeToNode(context.Config.Vocabulary, CanonicalJson.Options),
            ["examples"] = JsonSerializer.SerializeToNode(context.Config.Examples, CanonicalJson.Options),
            ["shards"] = new JsonArray([.. context.Inputs.Where(input => input.Stage == "tokenize").Select(input => Parsed(input.Result))]),
        };
        return new NewDatasetVersion(
            context.Config.Name,
            TextDigest.Of([corpus, vocabulary, .. shards]),
            corpus,
            vocabulary,
            shards,
            manifest.ToJsonString(),
            context.Run.Id
        );
    }

    private static NewModelVersion ModelOf(StageContext context, int datasetVersion) =>
        new(
            context.Config.Name,
            context.Input("pretrain").Digest,
            context.Run.Config,
            context.Input("evaluate").Result ?? "{}",
            context.Config.Name,
            datasetVersion,
            FinetunedOf(context),
            CodeVersionOf.ThisProgram,
            context.Run.Id,
            PretrainingObjectives.PartsOf(context.Config.Pretrain.Objective).Main == "language-model"
                ? LanguageModelMetric
                : DetectionMetric
        );

    // The pre-trained weights are the other model's, and so are the dataset and the metrics that belong to them.
    private static NewModelVersion ModelOf(StageContext context, ModelVersionRow origin) =>
        new(
            context.Config.Name,
            context.Input("base").Digest,
            context.Run.Config,
            origin.Metrics,
            origin.Dataset,
            origin.DatasetVersion,
            FinetunedOf(context),
            CodeVersionOf.ThisProgram,
            context.Run.Id,
            DetectionMetric,
            CanonicalJson.Write(new { from = new { model = origin.Model, version = origin.Version } })
        );

    private static string FinetunedOf(StageContext context)
    {
        var finetuned = new JsonObject();
        foreach (var task in context.Inputs.Where(input => input.Stage == "finetune"))
        {
            finetuned[task.Shard] = new JsonObject { ["artifact"] = task.Digest, ["result"] = Parsed(task.Result) };
        }

        return finetuned.ToJsonString();
    }

    private static JsonNode? Parsed(string? json) => json is null ? null : JsonNode.Parse(json);
}
