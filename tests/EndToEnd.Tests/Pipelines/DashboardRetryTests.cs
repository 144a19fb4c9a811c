using System.Text.Json;
using ElectraPipeline.TestSupport;
using Microsoft.Playwright;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>What an engineer does at eight in the morning: a stage failed, the input is mended, a click retries it.</summary>
public sealed class DashboardRetryTests
{
    private const string Finetune = """
        , "finetune": [{ "name": "fruit", "train": "fruit.tsv", "labelColumn": "kind", "epochs": 1, "batchSize": 8, "sequenceLength": 16 }]
        """;

    [Fact]
    public async Task AFailedStageIsRetriedInTheBrowserAndOnlyItAndItsDescendantsRun()
    {
        await using Browser browser = await Browser.StartAsync();
        using var project = new TinyProject();
        project.WriteConfig(rest: Finetune);
        WriteTask(project, labelColumn: "knid");
        int port = FreePort.Find();
        using StartedProcess dashboard = project.Start("up", "--port", $"{port}");
        await TinyProject.WaitForAsync(() => AnswersAsync(port), dashboard);
        await project.SucceedAsync("run", project.Config);
        await TinyProject.WaitForAsync(async () => await project.StateAsync() == "failed", dashboard);
        var failed = await project.StagesAsync();

        IPage page = await browser.NewPageAsync(width: 390, height: 844);
        await page.GotoAsync($"http://localhost:{port}/");
        await page.GetByRole(AriaRole.Link, new() { Name = "tiny" }).First.ClickAsync();
        ILocator error = page.Locator(".error").First;
        string text = await error.InnerTextAsync();
        Assert.All((string[])["fruit.tsv", "kind", "knid"], word => Assert.Contains(word, text));

        WriteTask(project, labelColumn: "kind");
        await page.Locator("#retry-run summary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry now" }).ClickAsync();

        // The page follows the run by itself.
        await page.Locator("#summary").GetByText("succeeded", new() { Exact = false }).First.WaitForAsync(new() { Timeout = 120_000 });
        Assert.Equal("succeeded", await project.StateAsync());
        var mended = await project.StagesAsync();
        string[] again = ["finetune[fruit]", "register"];
        Assert.All(again, name => Assert.Equal("succeeded", Text(mended[name], "state")));
        Assert.All(mended.Keys.Except(again), name => Assert.Equal(Text(failed[name], "startedAt"), Text(mended[name], "startedAt")));
        Assert.Equal("blocked", Text(failed["register"], "state"));
    }

    private static string? Text(JsonElement stage, string name) => stage.GetProperty(name).GetString();

    private static void WriteTask(TinyProject project, string labelColumn)
    {
        var rows = Enumerable
            .Range(0, 60)
            .Select(i => i % 2 == 0 ? $"the cat sees an apple {i}\tanimal" : $"a red house and the moon {i}\tthing");
        File.WriteAllLines(project.PathOf("fruit.tsv"), [$"text\t{labelColumn}", .. rows]);
    }

    private static async Task<bool> AnswersAsync(int port)
    {
        using var visitor = new HttpClient();
        try
        {
            return (await visitor.GetAsync($"http://localhost:{port}/health")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
