using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>The list of runs, the page of a run, and its log as text.</summary>
internal static class RunEndpoints
{
    private const int RunsPerPage = 25;
    private const int LogLinesPerRead = 2_000;

    public static void MapRunPages(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", () => Results.Redirect("/runs"));
        routes.MapGet("/runs", ListAsync);
        routes.MapGet("/runs/{id:long}", ShowAsync);
        routes.MapGet("/runs/{id:long}/stages/{stage:long}/log", LogAsync);
    }

    private static async Task<RazorComponentResult> ListAsync(
        string? state,
        long? before,
        Queries queries,
        RunReader reader,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var filter = new RunFilter
        {
            State = Enum.TryParse(state, ignoreCase: true, out RunState known) && Enum.IsDefined(known) ? known : null,
            Before = before,
            Limit = RunsPerPage + 1, // One more than shown tells whether there are older ones.
        };
        IReadOnlyList<RunSummary> runs = await queries.RunsAsync(filter, cancellationToken);
        return new RazorComponentResult<RunsPage>(
            new
            {
                Runs = (IReadOnlyList<RunSummary>)[.. runs.Take(RunsPerPage)],
                Running = await reader.RunningAsync(cancellationToken),
                Filter = filter,
                HasOlder = runs.Count > RunsPerPage,
                Overview = await queries.OverviewAsync(cancellationToken),
                Now = clock.GetUtcNow(),
            }
        );
    }

    private static async Task<IResult> ShowAsync(long id, string? done, RunReader reader, CancellationToken cancellationToken)
    {
        RunModel? model = await reader.RunAsync(id, NoticeOf(done), cancellationToken);
        return model is null ? MessagePage.NotFound($"There is no run {id}.") : new RazorComponentResult<RunPage>(new { Model = model });
    }

    /// <summary>What a redirect after a click says; the address carries a word, never the text.</summary>
    private static string? NoticeOf(string? done) =>
        done switch
        {
            "retry" => "The retry is on its way: the stages below wait for a worker or already run.",
            "cancel" => "The run is cancelled; stages at work stop within seconds.",
            "pause" => "The run is paused; stages that were told to stop do so within seconds.",
            "resume" => "The run goes on.",
            "run" => "The run was created.",
            _ => null,
        };

    private static async Task<IResult> LogAsync(
        long id,
        long stage,
        Queries queries,
        HttpContext context,
        CancellationToken cancellationToken
    )
    {
        StageRow? row = await queries.StageAsync(stage, cancellationToken);
        if (row is null || row.RunId != id)
        {
            return MessagePage.NotFound($"Run {id} has no stage {stage}.");
        }

        return Results.Stream(output => WriteLogAsync(output, stage, queries, cancellationToken), "text/plain; charset=utf-8");
    }

    private static async Task WriteLogAsync(Stream output, long stage, Queries queries, CancellationToken cancellationToken)
    {
        await using var writer = new StreamWriter(output, leaveOpen: true);
        long after = 0;
        while (await queries.LogAfterAsync(stage, after, LogLinesPerRead, cancellationToken) is { Count: > 0 } lines)
        {
            foreach (LogLine line in lines)
            {
                await writer.WriteLineAsync($"{line.RecordedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff} attempt {line.Attempt}  {line.Line}");
            }

            after = lines[^1].Id;
        }
    }
}
