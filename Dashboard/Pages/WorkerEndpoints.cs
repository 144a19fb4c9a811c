using ElectraPipeline.Storage.ReadModels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>The processes that do the work.</summary>
internal static class WorkerEndpoints
{
    public static void MapWorkerPages(this IEndpointRouteBuilder routes) =>
        routes.MapGet(
            "/workers",
            async (Queries queries, TimeProvider clock, CancellationToken cancellationToken) =>
                new RazorComponentResult<WorkersPage>(
                    new
                    {
                        Workers = await queries.WorkersAsync(null, cancellationToken),
                        Pauses = await queries.PausesAsync(cancellationToken),
                        Overview = await queries.OverviewAsync(cancellationToken),
                        Now = clock.GetUtcNow(),
                    }
                )
        );
}
