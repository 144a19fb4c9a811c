using ElectraPipeline.Jobs.Child;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Finetuning;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Fine-tunes the discriminator on one task, in a child process.</summary>
internal sealed class FinetuneStage() : TrainingStage<FinetuneRequest, FinetuneResult>("finetune", codeVersion: 2)
{
    public override IReadOnlyList<string> FilesOfConfig => ["finetune"];

    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files)
    {
        var task = TaskOf(config, shard);
        yield return CanonicalJson.Ingredient(task with { Train = "", Evaluation = null });
        yield return $"{config.Seed} {config.Pretrain.Device}";
        yield return DigestOf(task.Train, "train", files);
        yield return task.Evaluation is { } evaluation ? DigestOf(evaluation, "evaluation", files) : "split";
    }

    protected override FinetuneRequest RequestOf(StageContext context, string workFolder, string? checkpoint) =>
        new()
        {
            ModelFolder = context.FolderOf(context.Config.From is null ? "pretrain" : "base"),
            VocabularyFolder = context.Config.From is null ? context.FolderOf("vocabulary") : null,
            Options = TaskOf(context.Config, context.Lease.Shard),

            // The paths of a resolved config are absolute.
            ConfigFolder = "/",
            Digests = context.Files.Digests,
            OutputFolder = context.OutputFolder,
            WorkFolder = workFolder,
            ResumeFrom = checkpoint,
            Device = context.Config.Pretrain.Device,
            Seed = (ulong)context.Config.Seed,
        };

    protected override FinetuneResult RunInChild(FinetuneRequest request, ChildReporter reporter, CancellationToken cancellationToken) =>
        FinetuneProgram.Run(request, reporter, cancellationToken);

    private static FinetuneOptions TaskOf(RunConfig config, string shard) => config.Finetune.Single(task => task.Name == shard);

    // The XML files of the SDK are data like any other: their digests decide.
    private static string DigestOf(string source, string field, ConfigFiles files) =>
        source.StartsWith(SourceFiles.DotNetDocsWord + ":", StringComparison.Ordinal)
            ? TextDigest.Of([
                source,
                .. SourceFiles.Resolve(new CorpusOptions { Paths = [SourceFiles.DotNetDocsWord] }).Select(file => file.Sha256),
            ])
            : files.Digest(source, $"finetune.{field}");
}
