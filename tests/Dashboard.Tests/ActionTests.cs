using System.Net;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

public sealed class ActionTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Retry_makes_the_failed_stage_ready_and_keeps_what_succeeded_and_cancel_stops_the_run()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        string page = $"/runs/{run.Id}";

        HttpResponseMessage retry = await dashboard.PostFromAsync(page, $"{page}/retry", ("stage", $"{run.Pretrain}"));
        Assert.Equal($"{page}?done=retry", retry.Headers.Location?.OriginalString);
        Assert.Equal(StageState.Ready, (await dashboard.Storage.Queries.StageAsync(run.Pretrain))!.State);
        Assert.Equal(StageState.Succeeded, (await dashboard.Storage.Queries.StageAsync(run.Ingest))!.State);

        HttpResponseMessage cancel = await dashboard.PostFromAsync(page, $"{page}/cancel");
        Assert.Equal($"{page}?done=cancel", cancel.Headers.Location?.OriginalString);
        Assert.Equal(RunState.Cancelled, (await dashboard.Storage.Queries.RunAsync(run.Id))!.Summary.State);
    }

    [Fact]
    public async Task Pause_holds_a_run_a_queue_a_worker_or_a_host_back_and_resume_lets_it_go_on()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        string page = $"/runs/{run.Id}";
        await dashboard.PostFromAsync(page, $"{page}/retry");
        await dashboard.Storage.Workers.SeenAsync("here:1:a", "here", ["cpu", "gpu"], "1");

        HttpResponseMessage pause = await dashboard.PostFromAsync(page, $"{page}/pause", ("now", "true"));
        Assert.Equal($"{page}?done=pause", pause.Headers.Location?.OriginalString);
        Assert.Contains("Paused with 1 of 3 stages done", await dashboard.Visitor.GetStringAsync(page));
        Assert.Contains(">paused<", await dashboard.Visitor.GetStringAsync("/runs"));
        foreach ((string scope, string subject) in new[] { ("Queue", "gpu"), ("Worker", "here:1:a"), ("Host", "here") })
        {
            HttpResponseMessage held = await dashboard.PostFromAsync("/workers", "/pauses", ("scope", scope), ("subject", subject));
            Assert.Equal("/workers", held.Headers.Location?.OriginalString);
        }

        var pauses = await dashboard.Storage.Queries.PausesAsync();
        Assert.Equal([PauseScope.Run, PauseScope.Queue, PauseScope.Worker, PauseScope.Host], pauses.Select(row => row.Scope));
        Assert.Equal([true, false, false, false], pauses.Select(row => row.Interrupts));
        Assert.Equal(
            HttpStatusCode.Conflict,
            (await dashboard.PostFromAsync("/workers", "/pauses", ("scope", "Host"), ("subject", "x"))).StatusCode
        );

        await dashboard.PostFromAsync(page, $"{page}/resume");
        foreach (var row in pauses.Skip(1))
        {
            await dashboard.PostFromAsync("/workers", "/pauses/lift", ("scope", $"{row.Scope}"), ("subject", row.Subject));
        }

        Assert.Empty(await dashboard.Storage.Queries.PausesAsync());
    }

    [Fact]
    public async Task Post_without_antiforgery_token_is_refused_and_changes_nothing()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        foreach (
            string action in new[]
            {
                $"/runs/{run.Id}/retry",
                $"/runs/{run.Id}/cancel",
                $"/api/runs/{run.Id}/retry",
                $"/api/runs/{run.Id}/pause",
                "/pauses",
                "/api/pauses",
                "/schedules/x/enable",
            }
        )
        {
            HttpResponseMessage answer = await dashboard.Visitor.PostAsync(action, new FormUrlEncodedContent([]));
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, $"{action} answered {answer.StatusCode}");
        }

        Assert.Equal(StageState.Failed, (await dashboard.Storage.Queries.StageAsync(run.Pretrain))!.State);
    }
}
