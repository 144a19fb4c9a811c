using ElectraPipeline.Jobs.Child;
using ElectraPipeline.Training.Pretraining;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Pre-trains generator and discriminator, in a child process.</summary>
internal sealed class PretrainStage() : TrainingStage<PretrainRequest, PretrainResult>("pretrain", codeVersion: 2)
{
    public override IReadOnlyList<string> FilesOfConfig => ["pretrain.", "mixture."];

    protected override int KeepCheckpoints(RunConfig config) => config.Pretrain.KeepCheckpoints;

    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files) =>
        [
            CanonicalJson.Ingredient(config.Model),
            // What only says when to look and what to keep does not change the weights.
            CanonicalJson.Ingredient(
                config.Pretrain with
                {
                    LogSteps = 0,
                    CheckpointSteps = 0,
                    KeepCheckpoints = 0,
                    EvaluateSteps = 0,
                    InitializeFrom = null,
                }
            ),
            config.Pretrain.InitializeFrom is { } first ? files.DigestOfFolder(first, "pretrain.initializeFrom") : "",
            $"{config.Seed}",
            $"{config.Mixture.Weight}",
            // Where shards lie does not change the weights; what is in them does.
            .. config.Mixture.Datasets.Select(dataset => $"{dataset.Weight} {files.DigestOf(dataset)}"),
        ];

    protected override PretrainRequest RequestOf(StageContext context, string workFolder, string? checkpoint) =>
        new()
        {
            Model = context.Config.Model,
            Pretrain = context.Config.Pretrain,
            Evaluate = context.Config.Evaluate,
            Seed = (ulong)context.Config.Seed,
            Mixture = context.Config.Mixture,
            MixtureDigests = [.. context.Config.Mixture.Datasets.Select(dataset => context.Files.Digests[dataset.Path])],
            InitializeFromDigest = context.Config.Pretrain.InitializeFrom is { } first ? context.Files.Digests[first] : null,
            ShardFolders = context.FoldersOf("tokenize"),
            VocabularyFolder = context.FolderOf("vocabulary"),
            OutputFolder = context.OutputFolder,
            WorkFolder = workFolder,
            ResumeFrom = checkpoint,
        };

    protected override PretrainResult RunInChild(PretrainRequest request, ChildReporter reporter, CancellationToken cancellationToken) =>
        PretrainProgram.Run(request, reporter, cancellationToken);
}
