using System.Net;
using ElectraPipeline.Storage;
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
    public async Task Post_without_antiforgery_token_is_refused_and_changes_nothing()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        foreach (string action in new[] { $"/runs/{run.Id}/retry", $"/runs/{run.Id}/cancel", $"/api/runs/{run.Id}/retry", "/schedules/x/enable" })
        {
            HttpResponseMessage answer = await dashboard.Visitor.PostAsync(action, new FormUrlEncodedContent([]));
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, $"{action} answered {answer.StatusCode}");
        }

        Assert.Equal(StageState.Failed, (await dashboard.Storage.Queries.StageAsync(run.Pretrain))!.State);
    }
}
