using System.Security.Cryptography;
using System.Text.Json;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>Whole runs by the real executable, PostgreSQL and LibTorch; processes are killed as crashes kill them.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task ARunSucceedsIsReusedAndExports()
    {
        using var project = new TinyProject();
        ProcessResult first = await project.RunAsync("run", project.Config, "--watch");
        Assert.True(first.ExitCode == 0, first.ToString());
        Assert.Contains("model tiny@1", first.Output);
        Assert.All(first.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));

        ProcessResult second = await project.RunAsync("run", project.Config, "--watch", "--json");
        Assert.True(second.ExitCode == 0, second.ToString());
        using var json = JsonDocument.Parse(second.Output);
        Assert.All(json.RootElement.GetProperty("stages").EnumerateArray(), stage => Assert.Equal("reused", stage.GetProperty("state").GetString()));

        ProcessResult export = await project.RunAsync("export", "tiny", project.PathOf("exported"));
        Assert.True(export.ExitCode == 0, export.ToString());
        foreach (string file in (string[])["config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"])
        {
            Assert.True(File.Exists(project.PathOf($"exported/discriminator/{file}")), file);
            Assert.True(File.Exists(project.PathOf($"exported/generator/{file}")), file);
        }

        ProcessResult again = await project.RunAsync("export", "tiny", project.PathOf("exported"));
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("not empty", again.Error);
    }

    [Fact]
    public async Task KilledInPretrainingItEndsWithTheSameWeights()
    {
        using var calm = new TinyProject();
        using var rough = new TinyProject();
        calm.WriteConfig(steps: 400);
        rough.WriteConfig(steps: 400);
        ProcessResult undisturbed = await calm.RunAsync("run", calm.Config, "--watch");
        Assert.True(undisturbed.ExitCode == 0, undisturbed.ToString());

        using (StartedProcess killed = rough.Start("run", rough.Config, "--watch"))
        {
            await WaitForAsync(() => CheckpointsOf(rough) > 0, killed);
            killed.Kill();
        }

        // The lease of the dead worker runs out, and the next worker goes on from the checkpoint.
        using StartedProcess worker = rough.Start("worker");
        await WaitForAsync(() => WeightsOf(rough).Count > 0 && StateOf(rough) == "succeeded", worker);
        Assert.Equal(WeightsOf(calm), WeightsOf(rough));
        Assert.True(AttemptsOfPretrain(rough) > 1, "the kill came too late to interrupt pre-training");
    }

    [Fact]
    public async Task AMissingCorpusFailsAndNamesTheFolderAndRetryGoesOn()
    {
        using var project = new TinyProject();
        project.WriteConfig(corpus: "nowhere");
        ProcessResult failed = await project.RunAsync("run", project.Config, "--watch");
        Assert.Equal(1, failed.ExitCode);
        Assert.Contains("nowhere", failed.Error);
        Assert.Contains("electra retry 1", failed.Error);

        Directory.Move(project.PathOf("corpus"), project.PathOf("nowhere"));
        ProcessResult retry = await project.RunAsync("retry", "1");
        Assert.True(retry.ExitCode == 0, retry.ToString());
        using StartedProcess worker = project.Start("worker");
        await WaitForAsync(() => StateOf(project) == "succeeded", worker);
    }

    private static string StateOf(TinyProject project) => RunOf(project).GetProperty("summary").GetProperty("state").GetString()!;

    private static int AttemptsOfPretrain(TinyProject project) => RunOf(project).GetProperty("stages").EnumerateArray()
        .Single(s => s.GetProperty("stage").GetString() == "pretrain").GetProperty("attempt").GetInt32();

    private static JsonElement RunOf(TinyProject project) =>
        JsonDocument.Parse(project.RunAsync("status", "1", "--json").GetAwaiter().GetResult().Output).RootElement;

    private static IEnumerable<string> FilesOf(TinyProject project, string name) => Directory.Exists(Path.Combine(project.DataFolder, "objects"))
        ? Directory.EnumerateFiles(Path.Combine(project.DataFolder, "objects"), name, SearchOption.AllDirectories)
        : [];

    private static int CheckpointsOf(TinyProject project) => FilesOf(project, "state.safetensors").Count();

    /// <summary>Digests of the discriminators and generators that were sealed.</summary>
    private static List<string> WeightsOf(TinyProject project) =>
        [.. FilesOf(project, "model.safetensors").Select(file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))).Order()];

    private static async Task WaitForAsync(Func<bool> condition, StartedProcess process)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!condition())
        {
            Assert.False(process.HasExited, process.HasExited ? process.Snapshot().ToString() : "");
            await Task.Delay(200, limit.Token);
        }
    }
}
