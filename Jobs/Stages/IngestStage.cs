using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Reads the corpus into parts of clean documents.</summary>
internal sealed class IngestStage() : Stage("ingest", codeVersion: 4)
{
    public override IReadOnlyList<string> FilesOfConfig => ["corpus."];

    protected override IEnumerable<string> Ingredients(RunConfig config, string shard)
    {
        // Links that are not followed are named in the output.
        var links = new List<string>();
        var files = SourceFiles.Resolve(config.Corpus, links.Add);
        return
        [
            CanonicalJson.Ingredient(
                config.Corpus with { Paths = [], Filters = config.Corpus.Filters?.WithPaths((_, path) => Path.GetFileName(path)) }),
            .. files.Concat(config.Corpus.Filters?.ResolveFiles() ?? []).Select(file => $"{file.Name}={file.Sha256}"),
            .. links.Select(link => $"{link}->"),
        ];
    }

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
            linksLeftOut = manifest.LinksLeftOut?.Count ?? 0,
        }));
    }
}
