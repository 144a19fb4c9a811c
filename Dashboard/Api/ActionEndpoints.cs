using ElectraPipeline.Dashboard.Pages;
using ElectraPipeline.Storage.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Api;

/// <summary>The POSTs that change runs or hold work back: forms answer with a redirect to the page, the API with JSON.</summary>
internal static class ActionEndpoints
{
    public static void MapRunForms(this IEndpointRouteBuilder forms)
    {
        forms.MapPost(
            "/runs/{id:long}/retry",
            async (long id, [FromForm] long? stage, RunActions actions, HttpContext context) =>
                AsPage(id, "retry", await actions.RetryAsync(context, id, stage))
        );
        forms.MapPost(
            "/runs/{id:long}/cancel",
            async (long id, RunActions actions, HttpContext context) => AsPage(id, "cancel", await actions.CancelAsync(context, id))
        );
        forms.MapPost(
            "/runs/{id:long}/pause",
            async (long id, [FromForm] bool? now, RunActions actions, HttpContext context) =>
                AsPage(id, "pause", await actions.PauseAsync(context, PauseScope.Run, $"{id}", now is true))
        );
        forms.MapPost(
            "/runs/{id:long}/resume",
            async (long id, RunActions actions, HttpContext context) =>
                AsPage(id, "resume", await actions.ResumeAsync(context, PauseScope.Run, $"{id}"))
        );
        forms.MapPost(
            "/pauses",
            async ([FromForm] PauseScope scope, [FromForm] string subject, [FromForm] bool? now, RunActions actions, HttpContext context) =>
                AsPage("/workers", await actions.PauseAsync(context, scope, subject, now is true))
        );
        forms.MapPost(
            "/pauses/lift",
            async ([FromForm] PauseScope scope, [FromForm] string subject, RunActions actions, HttpContext context) =>
                AsPage("/workers", await actions.ResumeAsync(context, scope, subject))
        );
    }

    public static void MapRunActions(this IEndpointRouteBuilder api)
    {
        api.MapPost(
            "/runs/{id:long}/retry",
            async (long id, long? stage, RunActions actions, HttpContext context) =>
                AsJson(id, await actions.RetryAsync(context, id, stage))
        );
        api.MapPost(
            "/runs/{id:long}/cancel",
            async (long id, RunActions actions, HttpContext context) => AsJson(id, await actions.CancelAsync(context, id))
        );
        api.MapPost(
            "/runs/{id:long}/pause",
            async (long id, bool? now, RunActions actions, HttpContext context) =>
                AsJson(id, await actions.PauseAsync(context, PauseScope.Run, $"{id}", now is true))
        );
        api.MapPost(
            "/runs/{id:long}/resume",
            async (long id, RunActions actions, HttpContext context) =>
                AsJson(id, await actions.ResumeAsync(context, PauseScope.Run, $"{id}"))
        );
        api.MapPost(
            "/pauses",
            async (PauseScope scope, string subject, bool? now, RunActions actions, HttpContext context) =>
                AsJson(new { scope, subject }, await actions.PauseAsync(context, scope, subject, now is true))
        );
        api.MapPost(
            "/pauses/lift",
            async (PauseScope scope, string subject, RunActions actions, HttpContext context) =>
                AsJson(new { scope, subject }, await actions.ResumeAsync(context, scope, subject))
        );
    }

    private static IResult AsPage(long id, string action, ActionOutcome outcome) => AsPage($"/runs/{id}", outcome, $"?done={action}");

    private static IResult AsPage(string page, ActionOutcome outcome, string query = "") =>
        outcome.Error is null
            ? Results.Redirect(page + query)
            : new RazorComponentResult<MessagePage>(
                new
                {
                    Title = "Nothing was changed",
                    Message = $"{char.ToUpperInvariant(outcome.Error[0])}{outcome.Error[1..]}.",
                    Back = page,
                }
            )
            {
                StatusCode = outcome.StatusCode,
            };

    private static IResult AsJson(long id, ActionOutcome outcome) => AsJson(new { run = id }, outcome);

    private static IResult AsJson(object subject, ActionOutcome outcome) =>
        outcome.Error is null
            ? Results.Ok(subject)
            : Results.Problem(outcome.Error, statusCode: outcome.StatusCode, title: "Nothing was changed");
}
