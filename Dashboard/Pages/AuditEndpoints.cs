using ElectraPipeline.Storage.ReadModels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Who did what and when.</summary>
internal static class AuditEndpoints
{
    private const int DeedsPerPage = 50;

    public static void MapAuditPages(this IEndpointRouteBuilder routes) =>
        routes.MapGet(
            "/audit",
            async (long? before, Queries queries, CancellationToken cancellationToken) =>
            {
                IReadOnlyList<EventRow> deeds = await queries.DeedsAsync(before, DeedsPerPage + 1, cancellationToken);
                return new RazorComponentResult<AuditPage>(
                    new
                    {
                        Deeds = (IReadOnlyList<EventRow>)[.. deeds.Take(DeedsPerPage)],
                        Before = before,
                        HasOlder = deeds.Count > DeedsPerPage,
                    }
                );
            }
        );
}
