using ElectraPipeline.Storage.ReadModels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>For probes: 200 if the database answers, else 503. Strangers learn no more than that.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes) => routes.MapGet("/health", CheckAsync).AllowAnonymous();

    private static async Task<IResult> CheckAsync(
        HttpContext context,
        Queries queries,
        ILogger<DashboardOptions> logger,
        CancellationToken cancellationToken
    )
    {
        try
        {
            string schema = await queries.SchemaVersionAsync(cancellationToken);
            bool known = context.User.Identity?.IsAuthenticated == true;
            return Results.Ok(new { status = "healthy", schemaVersion = known ? schema : null });
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            DashboardLog.DatabaseUnreachable(logger, exception);
            return Results.Json(new { status = "unhealthy" }, statusCode: StatusCodes.Status503ServiceUnavailable);
        }
    }
}
