using System.Text.Json;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>What an operator does: back up, bring back, examine, clean up.</summary>
public sealed class OperationsTests(UndisturbedRun undisturbed)
{
    [Fact]
    public async Task APausedRunWritesACheckpointAndGoesOnToTheSameWeights()
    {
        using var project = new TinyProject();
        project.WriteConfig(steps: UndisturbedRun.Steps);
        using StartedProcess run = project.Start("run", project.Config, "--watch");
        await TinyProject.WaitForAsync(() => Task.FromResult(project.Checkpoints > 0), run);
        await project.SucceedAsync("pause", "run", "1", "--now");
        await TinyProject.WaitForAsync(
            () => Task.FromResult(run.Snapshot().Error.Contains("pretrain               held back: the run is paused by user:")),
            run
        );
        Assert.Contains("paused", (await project.SucceedAsync("status")).Output);
        Assert.Equal(0, (await project.StagesAsync())["pretrain"].GetProperty("attempt").GetInt32());
        Assert.Contains("was paused already", (await project.SucceedAsync("pause", "run", "1", "--now")).Error);

        await project.SucceedAsync("resume", "run", "1");
        ProcessResult result = await run.WaitAsync(TimeSpan.FromMinutes(3));
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(await undisturbed.WeightsAsync(), project.Weights);
        Assert.Contains("was not paused", (await project.SucceedAsync("resume", "run", "1")).Error);
        ProcessResult refused = await project.RunAsync("pause", "run", "1");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("run 1 is succeeded", refused.Error);
    }

    [Fact]
    public async Task ABackupBroughtBackHoldsEveryVersionAndReusesEveryStage()
    {
        using var project = new TinyProject();
        await project.SucceedAsync("run", project.Config, "--watch");
        await project.SucceedAsync("backup", project.PathOf("backup"));
        Assert.Equal(2, (await project.RunAsync("backup", project.PathOf("backup"))).ExitCode);
        ProcessResult unwritable = await project.RunAsync("backup", Path.Combine(project.Config, "backup"));
        Assert.Equal(2, unwritable.ExitCode);
        Assert.Contains("tiny.json/backup cannot be written", unwritable.Error);

        using var restored = new TinyProject(project.PathOf("restored"));
        string partial = project.PathOf("restored.partial");
        string server = Path.Combine(partial, "postgresql", "data", "postmaster.pid");
        using (StartedProcess killed = restored.Start("restore", project.PathOf("backup")))
        {
            await TinyProject.WaitForAsync(() => Task.FromResult(File.Exists(server)), killed);
            killed.Kill();
        }

        Assert.False(Directory.Exists(restored.DataFolder));
        await restored.SucceedAsync("restore", project.PathOf("backup"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(project.PathOf("."), "*.partial*"));
        Assert.Equal((await project.SucceedAsync("models", "--json")).Output, (await restored.SucceedAsync("models", "--json")).Output);
        await restored.SucceedAsync("doctor", "--deep");
        Assert.Contains("restored", (await restored.SucceedAsync("auth", "log", "--limit", "1")).Output);
        Assert.Contains("backup", (await project.SucceedAsync("auth", "log", "--limit", "1")).Output);
        ProcessResult again = await restored.SucceedAsync("run", project.Config, "--watch", "--json");
        using var json = JsonDocument.Parse(again.Output);
        Assert.All(
            json.RootElement.GetProperty("stages").EnumerateArray(),
            stage => Assert.Equal("reused", stage.GetProperty("state").GetString())
        );

        ProcessResult occupied = await restored.RunAsync("restore", project.PathOf("backup"));
        Assert.Equal(2, occupied.ExitCode);
        Assert.Contains("not empty", occupied.Error);
    }

    [Fact]
    public async Task ADamagedBackupIsRefusedAndLeavesNothing()
    {
        using var project = new TinyProject();
        await project.SucceedAsync("run", project.Config, "--watch");
        await project.SucceedAsync("backup", project.PathOf("backup"));
        string weights = Directory
            .EnumerateFiles(project.PathOf("backup/objects"), "model.safetensors", SearchOption.AllDirectories)
            .First();
        FlipBit(weights);
        using var restored = new TinyProject(project.PathOf("restored"));
        ProcessResult refused = await restored.RunAsync("restore", project.PathOf("backup"));
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("is damaged", refused.Error);
        Assert.False(Directory.Exists(restored.DataFolder));
        Assert.Empty(Directory.EnumerateDirectories(project.PathOf("."), "*.partial"));
    }

    [Fact]
    public async Task TheDoctorNamesWhatIsDamagedAndWhatToDo()
    {
        using var project = new TinyProject();
        await project.SucceedAsync("run", project.Config, "--watch");
        ProcessResult healthy = await project.SucceedAsync("doctor");
        Assert.All(healthy.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));

        string weights = Directory
            .EnumerateFiles(Path.Combine(project.DataFolder, "objects"), "model.safetensors", SearchOption.AllDirectories)
            .First();
        FlipBit(weights);
        ProcessResult ill = await project.RunAsync("doctor", "--json");
        Assert.Equal(1, ill.ExitCode);
        using var json = JsonDocument.Parse(ill.Output);
        JsonElement fault = json.RootElement.EnumerateArray().Single(finding => finding.GetProperty("severity").GetString() == "fault");
        Assert.Contains(Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(weights)))!, fault.GetProperty("detail").GetString());
        Assert.False(string.IsNullOrEmpty(fault.GetProperty("remedy").GetString()));
    }

    [Fact]
    public async Task TheDoctorSaysWhenLibTorchDoesNotLoad()
    {
        using var folder = new TemporaryFolder();
        foreach (
            string file in Directory
                .EnumerateFiles(BuiltElectra.Folder)
                .Where(file => !Path.GetFileName(file).StartsWith("libLibTorchSharp", StringComparison.Ordinal))
        )
        {
            string name = Path.GetFileName(file);
            if (name.StartsWith("electra", StringComparison.Ordinal))
            {
                File.Copy(file, folder[name]); // where these lie is where the program looks
            }
            else
            {
                File.CreateSymbolicLink(folder[name], file);
            }
        }

        using var project = new TinyProject();
        await project.SucceedAsync("status");
        using StartedProcess doctor = StartedProcess.Start(folder["electra"], project.Environment, ["doctor", "--json"]);
        ProcessResult result = await doctor.WaitAsync(TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 1, result.ToString());
        using var json = JsonDocument.Parse(result.Output);
        JsonElement fault = json.RootElement.EnumerateArray().Single(finding => finding.GetProperty("severity").GetString() == "fault");
        Assert.Equal("LibTorch", fault.GetProperty("subject").GetString());
        Assert.Contains("libgomp1", fault.GetProperty("remedy").GetString());
    }

    [Fact]
    public async Task GarbageIsShownBeforeItGoesAndVersionsStay()
    {
        using var project = new TinyProject();
        await project.SucceedAsync("run", project.Config, "--watch");
        string models = (await project.SucceedAsync("models", "--json")).Output;
        ProcessResult planned = await project.SucceedAsync("gc", "--dry-run", "--orphans", "0", "--runs", "0", "--json");
        ProcessResult done = await project.SucceedAsync("gc", "--orphans", "0", "--runs", "0", "--json");
        Assert.Equal(planned.Output.Replace("\"dryRun\": true", "\"dryRun\": false", StringComparison.Ordinal), done.Output);
        Assert.Equal(models, (await project.SucceedAsync("models", "--json")).Output);
        await project.SucceedAsync("doctor", "--deep");
        Assert.Contains("garbage removed", (await project.SucceedAsync("auth", "log", "--limit", "1")).Output);
    }

    private static void FlipBit(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
    }
}
