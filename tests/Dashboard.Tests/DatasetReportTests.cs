using System.Text.Json;
using System.Text.Json.Nodes;
using ElectraPipeline.Dashboard.Pages;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Registry;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using ElectraPipeline.Training.Shards;
using Microsoft.Playwright;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>The report of a dataset that was really ingested, on its page, in a browser of two widths.</summary>
public sealed class DatasetReportTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_page_tells_what_was_kept_and_what_was_left_out_and_why()
    {
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        string page = await dashboard.Visitor.GetStringAsync(await RegisterAsync(dashboard.Storage));
        foreach (
            string expected in new[]
            {
                "8 records of 2 files",
                "removed by filters",
                "too-few-words",
                "language-de",
                "near-duplicate",
                "broken-json",
                "no-terminal-punctuation",
                "en 2",
                "1,234",
                "<code>##ing</code>",
                "77, 6.2",
                "The garden of the old house",
                "Too short, this &lt;b&gt;document",
                "b.jsonl, line 2, byte ",
                "Documents by length",
                "link-not-followed",
                "passwords",
            }
        )
        {
            Assert.Contains(expected, page);
        }
    }

    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task It_fits_the_screen(int width)
    {
        await using Browser browser = await Browser.StartAsync();
        await using RunningDashboard dashboard = await RunningDashboard.StartAsync(postgres);
        string path = await RegisterAsync(dashboard.Storage);
        IPage page = await browser.NewPageAsync(width, height: 844);
        await page.GotoAsync(dashboard.Url(path), new() { WaitUntil = WaitUntilState.Load });
        foreach (ILocator summary in await page.Locator("td.samples summary, details.kept summary").AllAsync())
        {
            await summary.ClickAsync();
        }

        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width);
        Assert.True(await page.Locator("td.samples p").First.IsVisibleAsync());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"corpus": {"documents": 3}, "shards": []}""")]
    [InlineData("""{"corpus": 3}""")]
    public void A_manifest_of_another_layout_has_no_report(string manifest) => Assert.Null(DatasetReport.Read(manifest));

    private static async Task<string> RegisterAsync(ElectraStorage storage)
    {
        CreatedRun run = await storage.Runs.CreateAsync(
            new NewRun("d", "{}", "digest", "user", "1", "user:test", [new("ingest", "", "cpu", 3, [])])
        );
        long stage = (await storage.Queries.RunAsync(run.RunId))!.Stages.Single().Id;
        StageLease lease = (await storage.Leases.ClaimAsync(stage, "worker", TimeSpan.FromMinutes(1), null)).Lease!;
        string work = storage.Artifacts.CreateWorkFolder(lease.StageRunId, lease.Epoch);
        var manifest = new JsonObject
        {
            ["corpus"] = Ingested(work),
            ["shards"] = new JsonArray(
                JsonSerializer.SerializeToNode(
                    new TokenizeResult(2, 1_234, 1_200, 5, 9, 1)
                    {
                        FrequentTokens = [new TokenCount(new string('x', 90), 80), new TokenCount("##ing", 77)],
                    },
                    JsonSerializerOptions.Web
                )
            ),
        };
        var artifact = storage.Artifacts.Seal(work, "corpus");
        await storage.Leases.CompleteAsync(
            lease,
            new StageOutput("fingerprint", artifact, null),
            async transaction =>
            {
                await ModelRegistry.AddDatasetAsync(
                    transaction,
                    new NewDatasetVersion(
                        "d",
                        "digest",
                        artifact.Digest,
                        artifact.Digest,
                        [artifact.Digest],
                        manifest.ToJsonString(),
                        run.RunId
                    )
                );
                return "{}";
            }
        );
        return DatasetsPage.Url("d", 1);
    }

    private static JsonNode Ingested(string output)
    {
        using var folder = new TemporaryFolder();
        const string First =
            "The garden of the old house was quiet in the winter, and nobody had been there for a long time.\nHome and more news";
        const string Second =
            "We have to say that the railway to the harbour was never built, though it was planned with care and with the best of reasons.";
        folder.Write(
            "texts/a.txt",
            $"{First}\n\n{Second}\n\n{Second} Indeed.\n\nDer alte Garten hinter dem Haus ist im Winter sehr still, und niemand ist "
                + "mehr da.\n\nToo short, this <b>document.\n\n"
                + $"{new string('x', 300)} <i>one.</i>\n"
        );
        folder.Write("texts/b.jsonl", $$"""{"text": "{{Second}}"}""" + "\nnonsense\n");
        File.CreateSymbolicLink(folder["texts/passwords"], folder.Write("passwords.txt", "not for the corpus"));
        var options = new CorpusOptions
        {
            Paths = [folder["texts"]],
            MaxRejectShare = 1,
            Filters = new CorpusFilterOptions
            {
                Language = new LanguageFilterOptions { Allowed = ["en"] },
                Length = new LengthFilterOptions { MinCharacters = 10 },
                C4 = new C4Options { MinSentences = 1 },
                NearDuplicates = new NearDuplicateOptions(),
            },
        };
        IngestProgram.Run(options, output, new Silent(), TestContext.Current.CancellationToken);
        return JsonNode.Parse(File.ReadAllText(Path.Combine(output, "manifest.json")))!;
    }

    private sealed class Silent : IStageReporter
    {
        public void Progress(long done, long total, string unit) { }

        public void Metric(string name, long step, double value) { }

        public void Log(string message) { }

        public void Checkpoint(long step, string folder) { }
    }
}
