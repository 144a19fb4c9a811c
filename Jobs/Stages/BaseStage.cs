using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs.Stages;

/// <summary>
/// Takes the registered model that a run starts from, in place of pre-training. Its output has the same content, and so the same digest,
/// as the registered artifact: nothing is kept twice.
/// </summary>
internal sealed class BaseStage() : Stage("base", codeVersion: 1)
{
    public override IReadOnlyList<string> FilesOfConfig => [];

    // Versions never change, and a submitted config names a version, not an alias.
    protected override IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files) => [config.From!];

    public override async Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken)
    {
        ModelVersionRow model = await ModelReference.FindAsync(context.Storage.Queries, context.Config.From!, cancellationToken);
        if (context.Storage.Artifacts.Verify(model.Artifact) is { } fault)
        {
            throw new PermanentException($"{context.Config.From}: the stored model is damaged: {fault}. Restore it, or make it again.");
        }

        context.Storage.Artifacts.Copy(model.Artifact, context.OutputFolder, cancellationToken);
        return CanonicalJson.Write(
            new
            {
                model = model.Model,
                version = model.Version,
                artifact = model.Artifact,
            }
        );
    }
}
