using ElectraPipeline.Chaos;
using Spectre.Console;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>A short campaign of faults; long ones: dotnet run -c Release --project tests/Chaos -- --seed 2 --faults 200.</summary>
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task SixtyFaultsLoseNothing()
    {
        using var log = new StringWriter();
        Verdict verdict;
        try
        {
            verdict = await Campaign.RunAsync(
                new CampaignOptions(Seed: 1, Faults: 60, Workers: 3),
                log,
                TestContext.Current.CancellationToken
            );
            verdict.Write(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(log) }));
        }
        finally
        {
            output.WriteLine(log.ToString());
        }

        Assert.True(verdict.Faults.Values.Sum() >= 60 && verdict.Runs > 0 && verdict.Claims > 0, "the campaign did nothing");
        Assert.True(verdict.IsGood, log.ToString());
    }
}
