using System.Diagnostics;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>Processes are killed in the middle of pre-training, as crashes and the kernel kill them; the weights must not tell.</summary>
public sealed class FaultTests(UndisturbedRun undisturbed)
{
    [Fact]
    public async Task AfterTheWorkerWasKilledAnotherEndsWithTheSameWeights()
    {
        using var project = new TinyProject();
        project.WriteConfig(steps: UndisturbedRun.Steps);
        using (StartedProcess killed = project.Start("run", project.Config, "--watch"))
        {
            await TinyProject.WaitForAsync(() => Task.FromResult(project.Checkpoints > 0), killed);
            killed.Kill();
        }

        // The lease of the dead worker runs out, and the next worker goes on from the checkpoint.
        using StartedProcess worker = project.Start("worker");
        await TinyProject.WaitForAsync(async () => await project.StateAsync() == "succeeded", worker);
        Assert.Equal(await undisturbed.WeightsAsync(), project.Weights);
        int attempts = (await project.StagesAsync())["pretrain"].GetProperty("attempt").GetInt32();
        Assert.True(attempts > 1, "the kill came too late to interrupt pre-training");
    }

    [Fact]
    public async Task AfterPostgreSqlWasKilledItIsStartedAgainAndTheRunEndsWithTheSameWeights()
    {
        using var project = new TinyProject();
        project.WriteConfig(steps: UndisturbedRun.Steps);
        using StartedProcess run = project.Start("run", project.Config, "--watch");
        await TinyProject.WaitForAsync(() => Task.FromResult(project.Checkpoints > 0), run);
        int server = project.DatabaseProcess!.Value;
        Process.GetProcessById(server).Kill();

        ProcessResult result = await run.WaitAsync(TimeSpan.FromMinutes(3));
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(await undisturbed.WeightsAsync(), project.Weights);
        Assert.DoesNotContain("   at ", result.Error);
        var stages = await project.StagesAsync();
        Assert.All(stages.Values, stage => Assert.Equal(1, stage.GetProperty("attempt").GetInt32()));
    }
}
