using ElectraPipeline.TestSupport;
using Microsoft.Playwright;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>Hangfire's own pages inside ours, in a browser that enforces their policy.</summary>
public sealed class HangfirePageTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Hangfires_pages_work_under_a_policy_without_inline_code()
    {
        await using Browser browser = await Browser.StartAsync();
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        using HangfireWork work = await HangfireWork.StartAsync(dashboard.Jobs);
        IPage page = await browser.NewPageAsync(1280, height: 844);
        List<string> complaints = page.Complaints();
        string[] lists =
        [
            "",
            "/jobs/enqueued",
            "/jobs/enqueued/nobody",
            "/jobs/scheduled",
            "/jobs/processing",
            "/jobs/succeeded",
            "/jobs/failed",
            "/jobs/deleted",
            "/jobs/awaiting",
            "/retries",
            "/recurring",
            "/servers",
        ];
        foreach (string path in lists.Concat(work.Jobs.Values.Select(job => $"/jobs/details/{job}")))
        {
            IResponse answer = (await page.GotoAsync(dashboard.Url("/hangfire" + path), new() { WaitUntil = WaitUntilState.Load }))!;
            Assert.True(answer.Ok, $"{path} answered {answer.Status}");
            string policy = (await answer.AllHeadersAsync())["content-security-policy"];
            Assert.DoesNotContain("'unsafe-inline'", policy);
            Assert.Contains("script-src 'self';", policy);
            if (path.Length == 0)
            {
                // The live numbers come by a script's request, and both graphs are drawn.
                await page.RunAndWaitForResponseAsync(
                    () => Task.CompletedTask,
                    response => response.Url.EndsWith("/hangfire/stats", StringComparison.Ordinal) && response.Ok
                );
                Assert.Equal(2, await page.Locator("canvas:visible").CountAsync());
            }
        }

        await page.GotoAsync(dashboard.Url($"/hangfire/jobs/details/{work.Jobs["Failed"]}"));
        await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Requeue" }).First.ClickAsync(),
            response => response.Url.Contains("/requeue", StringComparison.Ordinal) && response.Ok
        );
        Assert.Contains(work.StatesOf(work.Jobs["Failed"]), state => state == "Enqueued");
        Assert.Empty(complaints);
    }
}
