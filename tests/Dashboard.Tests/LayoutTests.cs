using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Microsoft.Playwright;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>Every page in a browser, as wide as a laptop and as narrow as a phone.</summary>
public sealed class LayoutTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task Pages_fit_the_screen_and_load_nothing_that_their_policy_forbids(int width)
    {
        await using Browser browser = await Browser.StartAsync();
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        SampleRun run = await SampleRun.FailedAsync(
            dashboard.Storage,
            "a-run-with-a-rather-long-name-as-people-give-them",
            new string('x', 300)
        );
        await dashboard.Storage.Schedules.SaveAsync("nightly", "30 2 * * *", "UTC", "{}", true, "user:test");
        await dashboard.Storage.Workers.SeenAsync(
            "a-host-with-a-long-name.example:4711:1a2b3c4d5e",
            "a-host-with-a-long-name.example",
            ["cpu", "gpu"],
            "1"
        );
        await dashboard.Storage.Pauses.PauseAsync(PauseScope.Queue, "gpu", interrupts: true, "user:test");
        IPage page = await browser.NewPageAsync(width, height: 844);
        List<string> complaints = page.Complaints();
        foreach (
            string path in new[]
            {
                "/runs",
                $"/runs/{run.Id}",
                "/datasets",
                "/models",
                "/schedules",
                "/workers",
                "/audit",
                "/hangfire",
                "/hangfire/recurring",
            }
        )
        {
            await page.GotoAsync(dashboard.Url(path), new() { WaitUntil = WaitUntilState.Load });
            int content = await page.EvaluateAsync<int>("document.documentElement.scrollWidth");

            // Hangfire's own pages scroll sideways on a phone; they are not ours to lay out.
            Assert.True(
                content <= width || path.StartsWith("/hangfire", StringComparison.Ordinal),
                $"{path} is {content} pixels wide on a screen of {width}"
            );
        }

        // Every number of a chart stands inside its picture, the last step's at the right end too.
        await page.GotoAsync(dashboard.Url($"/runs/{run.Id}"), new() { WaitUntil = WaitUntilState.Load });
        string[] clipped = await page.EvaluateAsync<string[]>(
            """
            [...document.querySelectorAll(".chart svg text")].filter(text => {
              const [inner, outer] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
              return inner.left < outer.left || inner.right > outer.right || inner.top < outer.top || inner.bottom > outer.bottom;
            }).map(text => text.textContent)
            """
        );
        Assert.Empty(clipped);
        Assert.NotEqual(0, await page.Locator(".chart svg text", new() { HasTextString = "4000" }).CountAsync());
        Assert.Empty(complaints);
    }
}
