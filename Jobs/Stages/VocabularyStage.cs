using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Trains the WordPiece vocabulary on the corpus, or takes the one given.</summary>
internal sealed class VocabularyStage() : Stage("vocabulary", codeVersion: 2)
{
    public override IReadOnlyList<string> FilesOfConfig => ["vocabulary."];

    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files)
    {
        yield return CanonicalJson.Ingredient(config.Vocabulary with { Path = null });
        yield return config.Vocabulary.Path is { } path ? files.Digest(path, "vocabulary.path") : "trained";
    }

    public override Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        var result = VocabularyProgram.Run(
            context.FolderOf("ingest"),
            context.Config.Vocabulary,
            context.OutputFolder,
            context.Reporter,
            cancellationToken,
            context.Config.Vocabulary.Path is { } path ? context.Files.Digests[path] : null
        );
        return Task.FromResult<string?>(CanonicalJson.Write(result));
    }
}
