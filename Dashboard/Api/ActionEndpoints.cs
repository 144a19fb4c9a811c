using ElectraPipeline.Dashboard.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Api;

/// <summary>The POSTs that change runs: forms answer with a redirect to the run, the API with JSON.</summary>
internal static class ActionEndpoints
{
    public static void MapRunForms(this IEndpointRouteBuilder forms)
    {
        forms.MapPost("/runs/{id:long}/retry", async (long id, [FromForm] long? stage, RunActions actions, HttpContext context) =>
            AsPage(id, "retry", await actions.RetryAsync(context, id, stage)));
        forms.MapPost("/runs/{id:long}/cancel", async (long id, RunActions actions, HttpContext context) =>
            AsPage(id, "cancel", await actions.CancelAsync(context, id)));
    }

    public static void MapRunActions(this IEndpointRouteBuilder api)
    {
        api.MapPost("/runs/{id:long}/retry", async (long id, long? stage, RunActions actions, HttpContext context) =>
            AsJson(id, await actions.RetryAsync(context, id, stage)));
        api.MapPost("/runs/{id:long}/cancel", async (long id, RunActions actions, HttpContext context) =>
            AsJson(id, await actions.CancelAsync(context, id)));
    }

    private static IResult AsPage(long id, string action, ActionOutcome outcome) => outcome.Error is null
        ? Results.Redirect($"/runs/{id}?done={action}")
        : new RazorComponentResult<MessagePage>(new
        {
            Title = "Nothing was changed",
            Message = $"{char.ToUpperInvariant(outcome.Error[0])}{outcome.Error[1..]}.",
            Back = $"/runs/{id}",
        })
        { StatusCode = outcome.StatusCode };

    private static IResult AsJson(long id, ActionOutcome outcome) => outcome.Error is null
        ? Results.Ok(new { run = id })
        : Results.Problem(outcome.Error, statusCode: outcome.StatusCode, title: "Nothing was changed");
}
