using System.Net;
using System.Net.Http.Headers;
using ElectraPipeline.Dashboard.Security;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.TestSupport;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>Every deed of a person is recorded with who, what and when, and shown.</summary>
public sealed class AuditTests(PostgresFixture postgres)
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task Every_action_is_recorded_under_its_actor()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(
            postgres,
            prepare: storage => storage.Accounts.SaveAsync("olga", "operator", Passwords.Hash(Password), "user:test")
        );
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        await dashboard.Storage.Schedules.SaveAsync("nightly", "30 2 * * *", "UTC", "{}", true, "user:test");
        DateTimeOffset start = TimeProvider.System.GetUtcNow();

        Assert.Equal(HttpStatusCode.Unauthorized, (await dashboard.LoginAsync("olga", "not her password")).StatusCode);
        await dashboard.LoginAsync("olga", Password);
        string job = new BackgroundJobClient(dashboard.Jobs).Create(
            new Job(typeof(SampleJobs), typeof(SampleJobs).GetMethod(nameof(SampleJobs.Succeed))!),
            new DeletedState()
        );
        foreach (
            string action in new[]
            {
                $"/runs/{run.Id}/retry",
                $"/runs/{run.Id}/cancel",
                "/schedules/nightly/disable",
                "/schedules/nightly/enable",
                $"/hangfire/jobs/actions/requeue/{job}",
            }
        )
        {
            HttpResponseMessage answer = await dashboard.PostFromAsync("/runs", action);
            Assert.True((int)answer.StatusCode < 400, $"{action} answered {answer.StatusCode}");
        }

        Assert.Equal(HttpStatusCode.OK, (await dashboard.PostFromAsync("/runs", "/hangfire/stats")).StatusCode);
        HttpResponseMessage batch = await dashboard.PostFromAsync("/runs", "/hangfire/jobs/deleted/requeue", ("jobs[]", job));
        Assert.True(batch.IsSuccessStatusCode, $"{batch.StatusCode}");
        string page = await dashboard.Visitor.GetStringAsync("/audit");
        await dashboard.PostFromAsync("/runs", "/logout");

        IReadOnlyList<EventRow> deeds =
        [
            .. (await dashboard.Storage.Queries.DeedsAsync(null, 100)).Where(deed => deed.Actor == "user:olga").Reverse(),
        ];
        Assert.Equal(
            ["login refused", "login", "retry", "cancelled", "schedule off", "schedule on", "hangfire", "hangfire", "logout"],
            deeds.Select(deed => deed.Action)
        );
        Assert.Equal(
            [$"/hangfire/jobs/actions/requeue/{job}", $"/hangfire/jobs/deleted/requeue {job}"],
            deeds.Where(deed => deed.Action == "hangfire").Select(deed => deed.Detail!)
        );
        Assert.Contains(deeds, deed => deed.RunId == run.Id && deed.Action == "retry");
        Assert.All(deeds, deed => Assert.InRange(deed.RecordedAt, start.AddSeconds(-5), start.AddMinutes(5)));
        Assert.All(deeds.SkipLast(1), deed => Assert.Contains(deed.Detail ?? deed.Action, page));
        Assert.Contains("olga", page);
    }

    [Fact]
    public async Task The_log_is_read_page_by_page_and_leaves_out_what_workers_did()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        for (int i = 0; i < 60; i++)
        {
            await dashboard.Storage.Audit.RecordAsync("user:ada", "deed", $"number {i:00} <b>");
        }

        string first = await dashboard.Visitor.GetStringAsync("/audit");
        Assert.Contains("number 59 &lt;b&gt;", first);
        Assert.DoesNotContain("number 09", first);
        Assert.DoesNotContain("claimed", first);
        string older = first.Split("href=\"/audit?before=")[1].Split('"')[0];
        Assert.Contains("number 09", await dashboard.Visitor.GetStringAsync($"/audit?before={older}"));
    }

    [Fact]
    public async Task Whoever_bears_the_token_is_recorded_too()
    {
        const string Token = "a-token-of-enough-characters";
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres, Token);
        SampleRun run = await SampleRun.FailedAsync(dashboard.Storage, "sample", "disk full");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/runs/{run.Id}/retry");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        Assert.Equal(HttpStatusCode.OK, (await dashboard.Visitor.SendAsync(request)).StatusCode);
        Assert.Equal("user:api", (await dashboard.Storage.Queries.DeedsAsync(null, 10)).First(deed => deed.Action == "retry").Actor);
    }
}
