using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage.ReadModels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>Schedules: when they fire next, and their switch.</summary>
internal static class ScheduleEndpoints
{
    public static void MapSchedulePages(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(
            "/schedules",
            async (Queries queries, TimeProvider clock, CancellationToken cancellationToken) =>
                new RazorComponentResult<SchedulesPage>(
                    new { Rows = await queries.SchedulesAsync(cancellationToken), Now = clock.GetUtcNow() }
                )
        );
        routes.MapPost(
            "/schedules/{name}/enable",
            (string name, Schedules schedules, HttpContext context) => SwitchAsync(name, true, schedules, context)
        );
        routes.MapPost(
            "/schedules/{name}/disable",
            (string name, Schedules schedules, HttpContext context) => SwitchAsync(name, false, schedules, context)
        );
    }

    private static async Task<IResult> SwitchAsync(string name, bool enabled, Schedules schedules, HttpContext context) =>
        await schedules.SetEnabledAsync(name, enabled, Access.Actor(context), CancellationToken.None)
            ? Results.Redirect("/schedules")
            : MessagePage.NotFound($"There is no schedule {name}.");
}
