using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Reads the corpus into parts of clean documents.</summary>
internal sealed class IngestStage() : Stage("ingest", codeVersion: 4)
{
    public override IReadOnlyList<string> FilesOfConfig => ["corpus."];

    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files)
    {
        // Links that are not followed are named in the output.
        CorpusFiles corpus = files.Corpus();
        return
        [
            CanonicalJson.Ingredient(
                config.Corpus with
                {
                    Paths = [],
                    Filters = config.Corpus.Filters?.WithPaths((_, path) => Path.GetFileName(path)),
                }
            ),
            .. corpus.Sources.Concat(corpus.Filters).Select(file => $"{file.Name}={file.Sha256}"),
            .. corpus.Links.Select(link => $"{link}->"),
        ];
    }

    public override Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        var result = IngestProgram.Run(
            context.Config.Corpus,
            context.OutputFolder,
            context.Reporter,
            cancellationToken,
            context.Storage.Artifacts.CacheFolder(Name),
            files: context.Files.Corpus()
        );
        var manifest = result.Manifest;
        return Task.FromResult<string?>(
            CanonicalJson.Write(
                new
                {
                    files = manifest.Inputs.Count,
                    result.FilesReused,
                    result.Documents,
                    result.TextBytes,
                    manifest.Lines,
                    manifest.Duplicates,
                    manifest.DuplicateLines,
                    manifest.Skipped,
                    manifest.Rejected,
                    linksLeftOut = manifest.LinksLeftOut?.Count ?? 0,
                }
            )
        );
    }
}
