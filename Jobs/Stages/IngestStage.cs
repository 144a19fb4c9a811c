using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Reads the corpus into parts of clean documents.</summary>
internal sealed class IngestStage() : Stage("ingest", codeVersion: 4)
{
    protected override IEnumerable<string> Ingredients(RunConfig config, string shard) =>
    [
        CanonicalJson.Ingredient(config.Corpus with { Paths = [], Filters = config.Corpus.Filters?.WithPaths(path => Path.GetFileName(path)) }),
        .. SourceFiles.Resolve(config.Corpus).Concat(config.Corpus.Filters?.ResolveFiles() ?? []).Select(file => $"{file.Name}={file.Sha256}"),
    ];

    public override Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        var result = IngestProgram.Run(context.Config.Corpus, context.OutputFolder, context.Reporter, cancellationToken, context.Storage.Artifacts.CacheFolder(Name));
        var manifest = result.Manifest;
        return Task.FromResult<string?>(CanonicalJson.Write(new
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
        }));
    }
}
