using System.Text.Json;
using ElectraPipeline.Dashboard.Components;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Api;

/// <summary>What can be read under /api. JSON names are camel case, states lower case, times ISO 8601 in UTC.</summary>
internal static class ReadEndpoints
{
    private const int MostRuns = 500;
    private const int MostPoints = 10_000;
    private const int MostLines = 10_000;

    public static void MapReadApi(this IEndpointRouteBuilder api)
    {
        api.MapGet(
            "/antiforgery",
            (IAntiforgery antiforgery, HttpContext context) =>
                Results.Ok(new { header = AntiforgeryCheck.HeaderName, token = antiforgery.GetAndStoreTokens(context).RequestToken })
        );
        api.MapGet("/runs", RunsAsync);
        api.MapGet("/runs/{id:long}", RunAsync);
        api.MapGet("/runs/{id:long}/stages", StagesAsync);
        api.MapGet("/runs/{id:long}/metrics", MetricsAsync);
        api.MapGet(
            "/runs/{id:long}/events",
            async (long id, Queries queries, CancellationToken cancellationToken) =>
                Results.Ok(await queries.EventsAsync(id, 1_000, cancellationToken))
        );
        api.MapGet("/stages/{id:long}/metrics", PointsAsync);
        api.MapGet(
            "/stages/{id:long}/log",
            async (long id, long? after, Queries queries, CancellationToken cancellationToken) =>
                Results.Ok(await queries.LogAfterAsync(id, after ?? 0, MostLines, cancellationToken))
        );
        api.MapGet(
            "/datasets",
            async (Queries queries, CancellationToken cancellationToken) =>
                Results.Ok((await queries.DatasetVersionsAsync(null, cancellationToken)).Select(Json))
        );
        api.MapGet(
            "/datasets/{name}/{version:int}",
            async (string name, int version, Queries queries, CancellationToken cancellationToken) =>
                await queries.DatasetVersionAsync(name, version, cancellationToken) is { } row
                    ? Results.Ok(Json(row))
                    : Missing($"dataset {name} has no version {version}")
        );
        api.MapGet(
            "/models",
            async (Queries queries, CancellationToken cancellationToken) =>
                Results.Ok((await queries.ModelVersionsAsync(null, cancellationToken)).Select(Json))
        );
        api.MapGet(
            "/models/{name}/{version}",
            async (string name, string version, Queries queries, CancellationToken cancellationToken) =>
                await queries.ModelVersionAsync(name, version, cancellationToken) is { } row
                    ? Results.Ok(Json(row))
                    : Missing($"model {name} has no version or alias {version}")
        );
        api.MapGet(
            "/pauses",
            async (Queries queries, CancellationToken cancellationToken) => Results.Ok(await queries.PausesAsync(cancellationToken))
        );
        api.MapGet(
            "/workers",
            async (Queries queries, CancellationToken cancellationToken) => Results.Ok(await queries.WorkersAsync(null, cancellationToken))
        );
    }

    /// <summary>404 with the reason as problem details.</summary>
    public static IResult Missing(string reason) => Results.Problem(reason, statusCode: StatusCodes.Status404NotFound, title: "Not found");

    private static async Task<IResult> RunsAsync(
        string? state,
        string? name,
        long? before,
        int? limit,
        Queries queries,
        CancellationToken cancellationToken
    )
    {
        RunState known = default;
        if (state is not null && !(Enum.TryParse(state, ignoreCase: true, out known) && Enum.IsDefined(known)))
        {
            string names = string.Join(", ", Enum.GetNames<RunState>()).ToLowerInvariant();
            return Results.Problem(
                $"\"{state}\" is no state of a run; the states are {names}",
                statusCode: StatusCodes.Status400BadRequest
            );
        }

        return Results.Ok(
            await queries.RunsAsync(
                new RunFilter
                {
                    State = state is null ? null : known,
                    Name = name,
                    Before = before,
                    Limit = Math.Clamp(limit ?? 50, 1, MostRuns),
                },
                cancellationToken
            )
        );
    }

    private static async Task<IResult> RunAsync(long id, Queries queries, CancellationToken cancellationToken) =>
        await queries.RunAsync(id, cancellationToken) is { } run
            ? Results.Ok(
                new
                {
                    run = run.Summary,
                    config = JsonText.Parse(run.Config),
                    run.ConfigDigest,
                    stages = run.Stages.Select(Json),
                    run.Dependencies,
                }
            )
            : Missing($"there is no run {id}");

    private static async Task<IResult> StagesAsync(long id, Queries queries, CancellationToken cancellationToken) =>
        await queries.RunAsync(id, cancellationToken) is { } run ? Results.Ok(run.Stages.Select(Json)) : Missing($"there is no run {id}");

    private static async Task<IResult> MetricsAsync(long id, Queries queries, CancellationToken cancellationToken) =>
        Results.Ok(await queries.MetricsAsync(id, cancellationToken));

    private static async Task<IResult> PointsAsync(
        long id,
        string name,
        int? maxPoints,
        Queries queries,
        CancellationToken cancellationToken
    ) => Results.Ok(await queries.MetricPointsAsync(id, name, Math.Clamp(maxPoints ?? 500, 1, MostPoints), cancellationToken));

    // The columns that hold JSON become JSON, not text with JSON inside.
    private static object Json(DatasetVersionRow row) =>
        new
        {
            row.Dataset,
            row.Version,
            row.Digest,
            row.Corpus,
            row.Vocabulary,
            row.Shards,
            Manifest = JsonText.Parse(row.Manifest),
            row.RunId,
            row.CreatedAt,
        };

    private static object Json(ModelVersionRow row) =>
        new
        {
            row.Model,
            row.Version,
            row.Aliases,
            row.Artifact,
            Metrics = JsonText.Parse(row.Metrics),
            row.Dataset,
            row.DatasetVersion,
            Finetuned = JsonText.Parse(row.Finetuned),
            Config = JsonText.Parse(row.Config),
            row.CodeVersion,
            row.RunId,
            Source = row.Source is { } source ? JsonText.Parse(source) : (System.Text.Json.JsonElement?)null,
            row.CreatedAt,
        };

    private static object Json(StageRow row) =>
        new
        {
            row.Id,
            row.RunId,
            row.Stage,
            row.Shard,
            row.Queue,
            row.State,
            row.Attempt,
            row.MaxAttempts,
            row.LeaseOwner,
            row.AvailableAt,
            row.WaitingFor,
            row.Hold,
            row.Priority,
            row.Fingerprint,
            row.OutputDigest,
            Result = row.Result is { } result ? JsonText.Parse(result) : (JsonElement?)null,
            row.ReusedFromRun,
            row.Error,
            row.ErrorKind,
            row.ProgressDone,
            row.ProgressTotal,
            row.ProgressUnit,
            row.StartedAt,
            row.FinishedAt,
        };
}
