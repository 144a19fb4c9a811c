using ElectraPipeline.Jobs.Stages;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Jobs;

/// <summary>
/// START HERE: the stages of a run, in order. Each turns sealed folders into one sealed folder; docs/durability.md says how.
/// </summary>
public static class Pipeline
{
    /// <summary>Every kind of stage. To add one: an options record, a class, one line here, one line in <see cref="GraphOf"/>.</summary>
    public static IReadOnlyList<Stage> Stages { get; } =
    [
        new IngestStage(), // text in many formats -> clean documents in parts
        new VocabularyStage(), // documents -> WordPiece vocabulary
        new TokenizeStage(), // one part of the documents -> one shard folder
        new BaseStage(), // a registered model instead of all before and pre-training
        new PretrainStage(), // shards -> generator and discriminator
        new EvaluateStage(), // model -> held-out metrics
        new FinetuneStage(), // model -> classifier and scores for one task
        new RegisterStage(), // all of it -> dataset version and model version
    ];

    /// <summary>The stage of that stored name.</summary>
    /// <exception cref="InvalidOperationException">This program knows no such stage: the run was made by another version.</exception>
    public static Stage Find(string name) =>
        Stages.SingleOrDefault(stage => stage.Name == name)
        ?? throw new InvalidOperationException($"this program knows no stage '{name}'; the run was made by another version of it");

    /// <summary>The graph of a run: its stage runs, parents before children.</summary>
    public static IReadOnlyList<NewStage> GraphOf(RunConfig config)
    {
        var graph = new List<NewStage>();
        int Add(string stage, string shard, params IEnumerable<int> parents)
        {
            StageLimits limits = config.LimitsOf(stage);
            graph.Add(new NewStage(stage, shard, Find(stage).Queue(config), limits.Attempts, [.. parents], limits.MemoryGb));
            return graph.Count - 1;
        }

        if (config.From is not null)
        {
            int model = Add("base", "");
            int[] tunings = [.. config.Finetune.Select(task => Add("finetune", task.Name, model))];
            Add("register", "", [model, .. tunings]);
            return graph;
        }

        int ingest = Add("ingest", "");
        int vocabulary = Add("vocabulary", "", ingest);
        int[] shards = [.. Enumerable.Range(0, config.Corpus.Parts).Select(part => Add("tokenize", $"{part:D4}", ingest, vocabulary))];
        int pretrain = Add("pretrain", "", [vocabulary, .. shards]);
        int evaluate = Add("evaluate", "", [vocabulary, .. shards, pretrain]);
        int[] tasks = [.. config.Finetune.Select(task => Add("finetune", task.Name, vocabulary, pretrain))];
        Add("register", "", [ingest, vocabulary, .. shards, pretrain, evaluate, .. tasks]);
        return graph;
    }
}
