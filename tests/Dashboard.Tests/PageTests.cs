using System.Net;
using ElectraPipeline.Dashboard.Pages;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Registry;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

public sealed class PageTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Every_page_of_the_navigation_answers()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        foreach (string page in new[] { "/runs", "/datasets", "/models", "/schedules", "/workers", "/hangfire", "/health", "/api/runs" })
        {
            HttpResponseMessage answer = await dashboard.Visitor.GetAsync(page);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{page} answered {answer.StatusCode}");
        }

        Assert.Equal(HttpStatusCode.NotFound, (await dashboard.Visitor.GetAsync("/runs/999")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await dashboard.Visitor.GetAsync("/nowhere")).StatusCode);
    }

    [Fact]
    public async Task Run_shows_stages_curves_log_and_error_and_escapes_them()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "<i>corpus</i>", "<script>alert(1)</script> is no number");

        string page = await dashboard.Visitor.GetStringAsync($"/runs/{run.Id}");
        Assert.Contains("pretrain", page);
        Assert.Contains("4,321", page);
        Assert.Contains("RTD AUC", page);
        Assert.Contains("<polyline", page);
        Assert.Contains("reading the shards", page);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt; is no number", page);

        string list = await dashboard.Visitor.GetStringAsync("/runs");
        Assert.Contains("&lt;i&gt;corpus&lt;/i&gt;", list);
        foreach (string html in new[] { page, list })
        {
            Assert.DoesNotContain("<script>", html);
            Assert.DoesNotContain("<i>corpus", html);
        }

        Assert.Contains("reading the shards", await dashboard.Visitor.GetStringAsync($"/runs/{run.Id}/stages/{run.Pretrain}/log"));
    }

    /// <summary>The page is made anew every few seconds: it shows the parts that matter, and how far all are.</summary>
    [Fact]
    public async Task Run_of_thousands_of_parts_shows_those_that_matter()
    {
        const int Parts = 1_000;
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        IReadOnlyList<NewStage> stages =
        [
            .. Enumerable.Range(0, Parts).Select(part => new NewStage("tokenize", $"{part:0000}", "cpu", 1, [])),
            new("pretrain", "", "cpu", 1, [.. Enumerable.Range(0, Parts)]),
        ];
        CreatedRun run = await dashboard.Storage.Runs.CreateAsync(new NewRun("big", "{}", "digest", "user", "1", "user:test", stages));
        IReadOnlyList<StageRow> rows = (await dashboard.Storage.Queries.RunAsync(run.RunId))!.Stages;
        foreach (int part in (int[])[7, 8, 9])
        {
            StageLease done = await SampleRun.ClaimAsync(dashboard.Storage, rows[part].Id);
            string work = dashboard.Storage.Artifacts.CreateWorkFolder(done.StageRunId, done.Epoch);
            await File.WriteAllTextAsync(Path.Combine(work, "manifest.json"), $"{part}");
            SealedArtifact sealedPart = dashboard.Storage.Artifacts.Seal(work, "tokenize");
            await dashboard.Storage.Leases.CompleteAsync(done, new StageOutput($"fingerprint-of-{part}", sealedPart, null));
        }

        Assert.Contains("3 of 1,000 parts (0 %)<", await dashboard.Visitor.GetStringAsync($"/runs/{run.RunId}"));
        StageLease last = await SampleRun.ClaimAsync(dashboard.Storage, rows[Parts - 1].Id);
        string before = await dashboard.Visitor.GetStringAsync($"/runs/{run.RunId}");
        Assert.Matches(@"3 of 1,000 parts \(0 %\), about \d", before);

        await dashboard.Storage.Leases.FailAsync(last, "the last part is damaged", isPermanent: true, TimeSpan.Zero);
        string page = await dashboard.Visitor.GetStringAsync($"/runs/{run.RunId}");
        Assert.Contains("the last part is damaged", page);
        Assert.Contains("1 failed", page);
        Assert.Equal(StageGroup.MostShown, page.Split("<div class=\"part\">").Length - 1);
        Assert.Contains($"{StageGroup.MostShown} of them", page);

        // All have stopped then; the parts may be tried again, and pre-training, which needs them, may not go first.
        await dashboard.Storage.Runs.CancelAsync(run.RunId, "user:test");
        page = await dashboard.Visitor.GetStringAsync($"/runs/{run.RunId}");
        Assert.Contains($"id=\"retry-{rows[Parts - 1].Id}\"", page);
        Assert.Contains($"id=\"retry-{rows[0].Id}\"", page);
        Assert.DoesNotContain($"id=\"retry-{rows[Parts].Id}\"", page);
    }

    [Fact]
    public async Task An_imported_model_shows_its_origin_in_place_of_a_run()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        string work = dashboard.Storage.Artifacts.CreateWorkFolder("import.1");
        await File.WriteAllTextAsync(Path.Combine(work, "model"), "weights", TestContext.Current.CancellationToken);
        await dashboard.Storage.Registry.ImportModelAsync(
            new NewModelVersion(
                "foreign",
                "",
                "{}",
                "{}",
                null,
                null,
                "{}",
                "1",
                null,
                "",
                """{"imported": {"format": "<b>TensorFlow</b>"}}"""
            ),
            dashboard.Storage.Artifacts.Seal(work, "model"),
            "user:test",
            TestContext.Current.CancellationToken
        );
        Assert.Contains("imported", await dashboard.Visitor.GetStringAsync("/models", TestContext.Current.CancellationToken));
        string page = await dashboard.Visitor.GetStringAsync("/models/foreign/1", TestContext.Current.CancellationToken);
        Assert.Contains("by import", page);
        Assert.Contains("&lt;b&gt;TensorFlow&lt;/b&gt;", page);
        Assert.DoesNotContain("/runs/", page);
    }

    [Fact]
    public async Task Schedule_shows_its_next_runs_and_can_be_switched()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        await dashboard.Storage.Schedules.SaveAsync("nightly", "30 2 * * *", "UTC", "{}", true, "user:test");
        Assert.Matches(@"\d{4}-\d\d-\d\d 02:30, ", await dashboard.Visitor.GetStringAsync("/schedules"));

        HttpResponseMessage answer = await dashboard.PostFromAsync("/schedules", "/schedules/nightly/disable");
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.False(Assert.Single(await dashboard.Storage.Queries.SchedulesAsync()).Enabled);
        Assert.Contains("none while it is off", await dashboard.Visitor.GetStringAsync("/schedules"));
    }

    [Fact]
    public async Task Schedule_of_a_time_zone_that_is_missing_here_says_so()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        await dashboard.Storage.Schedules.SaveAsync("nightly", "30 2 * * *", "Mars/Olympus", "{}", true, "user:test");
        Assert.Contains("there is no time zone &#x27;Mars/Olympus&#x27; here", await dashboard.Visitor.GetStringAsync("/schedules"));
    }
}
