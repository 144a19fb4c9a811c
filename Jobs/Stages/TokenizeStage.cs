using System.Globalization;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>Tokenizes one part of the documents and packs it into shards of fixed-length examples.</summary>
internal sealed class TokenizeStage() : Stage("tokenize", codeVersion: 4)
{
    public override IReadOnlyList<string> FilesOfConfig => [];

    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files) =>
        [CanonicalJson.Ingredient(config.Examples), $"{config.Seed}", shard];

    public override Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        int part = int.Parse(context.Lease.Shard, CultureInfo.InvariantCulture);
        var result = TokenizeProgram.Run(
            context.FolderOf("ingest"),
            part,
            context.FolderOf("vocabulary"),
            context.Config.Examples,
            (ulong)context.Config.Seed,
            context.OutputFolder,
            context.Reporter,
            cancellationToken
        );
        return Task.FromResult<string?>(CanonicalJson.Write(result));
    }
}
