using ElectraPipeline.Storage.ReadModels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Dataset versions and model versions.</summary>
internal static class RegistryEndpoints
{
    public static void MapRegistryPages(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(
            "/datasets",
            async (Queries queries, CancellationToken cancellationToken) =>
                new RazorComponentResult<DatasetsPage>(new { Versions = await queries.DatasetVersionsAsync(null, cancellationToken) })
        );
        routes.MapGet("/datasets/{name}/{version:int}", DatasetAsync);
        routes.MapGet(
            "/models",
            async (Queries queries, CancellationToken cancellationToken) =>
                new RazorComponentResult<ModelsPage>(new { Versions = await queries.ModelVersionsAsync(null, cancellationToken) })
        );
        routes.MapGet("/models/{name}/{version}", ModelAsync);
    }

    private static async Task<IResult> DatasetAsync(string name, int version, Queries queries, CancellationToken cancellationToken)
    {
        DatasetVersionRow? row = await queries.DatasetVersionAsync(name, version, cancellationToken);
        if (row is null)
        {
            return MessagePage.NotFound($"Dataset {name} has no version {version}.");
        }

        var artifacts = new Dictionary<string, ArtifactRow>();
        foreach (string digest in row.Shards.Append(row.Corpus).Append(row.Vocabulary).Distinct())
        {
            if (await queries.ArtifactAsync(digest, cancellationToken) is { } artifact)
            {
                artifacts[digest] = artifact;
            }
        }

        return new RazorComponentResult<DatasetPage>(
            new
            {
                Version = row,
                Models = await queries.ModelsOfAsync(name, version, cancellationToken),
                Artifacts = (IReadOnlyDictionary<string, ArtifactRow>)artifacts,
            }
        );
    }

    private static async Task<IResult> ModelAsync(string name, string version, Queries queries, CancellationToken cancellationToken)
    {
        ModelVersionRow? row = await queries.ModelVersionAsync(name, version, cancellationToken);
        if (row is null)
        {
            return MessagePage.NotFound($"Model {name} has no version or alias {version}.");
        }

        return new RazorComponentResult<ModelPage>(
            new
            {
                Version = row,
                Dataset = row is { Dataset: { } dataset, DatasetVersion: { } datasetVersion }
                    ? await queries.DatasetVersionAsync(dataset, datasetVersion, cancellationToken)
                    : null,
                Artifact = await queries.ArtifactAsync(row.Artifact, cancellationToken),
            }
        );
    }
}
