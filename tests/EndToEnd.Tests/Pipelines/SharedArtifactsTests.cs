using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>Workers with data folders of their own, as on several hosts, that share a database and the place of the artifacts.</summary>
public sealed class SharedArtifactsTests(PostgresFixture postgres, UndisturbedRun undisturbed)
{
    [Fact]
    public async Task WithABucketAnotherHostGoesOnFromTheCheckpointOfADeadOne()
    {
        await using FakeS3 server = await FakeS3.StartAsync();
        string database = await postgres.NewDatabaseAsync();
        using var one = new TinyProject(database: database);
        using var other = new TinyProject(database: database);
        one.WriteConfig(steps: UndisturbedRun.Steps);
        foreach ((string name, string? value) in server.Environment("electra"))
        {
            one.More[name] = value;
        }

        using (StartedProcess killed = one.Start("run", one.Config, "--watch"))
        {
            await TinyProject.WaitForAsync(
                () => Task.FromResult(server.Keys.Any(key => key.EndsWith("state.safetensors", StringComparison.Ordinal))),
                killed
            );
            await TinyProject.WaitForAsync(() => Task.FromResult(one.Checkpoints > 1), killed);
            killed.Kill();
        }

        // Where the bucket is, the database knows; who may use it, the environment alone.
        ProcessResult without = await other.RunAsync("worker");
        Assert.Equal(2, without.ExitCode);
        Assert.Contains("AWS_ACCESS_KEY_ID", without.Error);
        other.More["AWS_ACCESS_KEY_ID"] = FakeS3.AccessKey;
        other.More["AWS_SECRET_ACCESS_KEY"] = FakeS3.SecretKey;
        using StartedProcess worker = other.Start("worker");
        await TinyProject.WaitForAsync(async () => await other.StateAsync() == "succeeded", worker);
        Assert.Equal(await undisturbed.WeightsAsync(), other.Weights);
        Assert.True(
            (await other.StagesAsync())["pretrain"].GetProperty("attempt").GetInt32() > 1,
            "the kill came too late to interrupt pre-training"
        );
        Assert.All(
            Directory.EnumerateFiles(Path.Combine(other.DataFolder, "logs")),
            log => Assert.DoesNotContain(FakeS3.SecretKey, File.ReadAllText(log))
        );
        Assert.Contains("match their digests", (await other.RunAsync("doctor", "--deep")).Output);

        // Backed up from the bucket, restored into a folder: nothing of it needs the bucket any more.
        await other.SucceedAsync("backup", other.PathOf("backup"));
        using var restored = new TinyProject(other.PathOf("restored"));
        await restored.SucceedAsync("restore", other.PathOf("backup"));
        await restored.SucceedAsync("doctor", "--deep");
        Assert.All(await undisturbed.WeightsAsync(), weights => Assert.Contains(weights, restored.Weights));
    }

    [Fact]
    public async Task WithAFolderInCommonAnotherHostGoesOnFromTheCheckpointOfADeadOne()
    {
        string database = await postgres.NewDatabaseAsync();
        using var one = new TinyProject(database: database);
        one.WriteConfig(steps: UndisturbedRun.Steps);
        using (StartedProcess killed = one.Start("run", one.Config, "--watch"))
        {
            await TinyProject.WaitForAsync(() => Task.FromResult(one.Checkpoints > 1), killed);
            killed.Kill();
        }

        // The other host mounts the folder elsewhere.
        using var mount = new TemporaryFolder();
        Directory.CreateSymbolicLink(mount["mounted"], one.DataFolder);
        using var other = new TinyProject(mount["mounted"], database);
        using StartedProcess worker = other.Start("worker");
        await TinyProject.WaitForAsync(async () => await other.StateAsync() == "succeeded", worker);
        Assert.Equal(await undisturbed.WeightsAsync(), one.Weights);
        Assert.True(
            (await other.StagesAsync())["pretrain"].GetProperty("attempt").GetInt32() > 1,
            "the kill came too late to interrupt pre-training"
        );
    }
}
