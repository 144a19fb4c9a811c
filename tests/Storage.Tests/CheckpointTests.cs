using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Registry;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class CheckpointTests(PostgresFixture postgres)
{
    [Fact]
    public async Task TheNewestOfTheSameWorkIsFoundAndOldOnesAreRemoved()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        var lease = (await testing.ClaimAsync(stages[0]))!;
        var digests = new List<string>();
        for (int step = 1; step <= 4; step++)
        {
            var artifact = testing.Seal(lease, $"state at {step}");
            digests.Add(artifact.Digest);
            Assert.True(await testing.Storage.Checkpoints.PublishAsync(lease, step, "work", artifact, keep: 2, retries: 2));
        }

        Assert.Equal([4, 3], (await testing.Storage.Queries.CheckpointsAsync(stages[0])).Select(checkpoint => checkpoint.Step));
        Assert.Equal([false, false, true, true], digests.Select(testing.Storage.Artifacts.Contains));
        Assert.Equal(4, (await testing.Storage.Checkpoints.FindNewestAsync("stage", "work"))!.Step);
        Assert.Null(await testing.Storage.Checkpoints.FindNewestAsync("stage", "other work"));

        await testing.CompleteAsync(lease);
        Assert.Null(await testing.Storage.Checkpoints.FindNewestAsync("stage", "work"));
    }

    /// <summary>Long training on machines that die now and then goes on; training that dies at the same step each time stops.</summary>
    [Fact]
    public async Task OnlyDeathsWithoutProgressUseUpTheAttempts()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            2,
            [
                [],
            ]
        );
        for (int step = 1; step <= 5; step++)
        {
            Assert.True(await DieAfterCheckpointAsync(testing, stages[0], step), $"no attempt was left after step {step}");
        }

        Assert.False(await DieAfterCheckpointAsync(testing, stages[0], 5));
        Assert.Equal(StageState.Failed, await testing.StateAsync(stages[0]));

        // A retry allows the attempts that the run allows, not all that came to be.
        await testing.Storage.Runs.RetryStageAsync(stages[0], "user:test");
        Assert.True(await DieAfterCheckpointAsync(testing, stages[0], 5));
        Assert.False(await DieAfterCheckpointAsync(testing, stages[0], 5));
    }

    private static async Task<bool> DieAfterCheckpointAsync(StorageTesting testing, long stage, int step)
    {
        var lease = (await testing.ClaimAsync(stage))!;
        Assert.True(
            await testing.Storage.Checkpoints.PublishAsync(
                lease,
                step,
                "work",
                testing.Seal(lease, $"state at {step}"),
                keep: 1,
                retries: 1
            )
        );
        await testing.Storage.Leases.FailAsync(lease, "died", isPermanent: false, TimeSpan.Zero);
        return await testing.StateAsync(stage) == StageState.Ready;
    }

    [Fact]
    public async Task GarbageIsWhatNothingNames()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
            ]
        );
        await testing.CompleteAsync((await testing.ClaimAsync(stages[0]))!);
        var lease = (await testing.ClaimAsync(stages[1]))!;
        string orphan = testing.Seal(lease, "orphan").Digest;
        Assert.Empty((await testing.Storage.Garbage.CollectAsync(new RetentionPolicy { OrphanAge = TimeSpan.FromHours(1) })).Artifacts);
        Collected planned = await testing.Storage.Garbage.CollectAsync(Now, dryRun: true);
        Assert.Equal(orphan, Assert.Single(planned.Artifacts).Digest);
        Assert.True(testing.Storage.Artifacts.Contains(orphan));
        Assert.Equal(orphan, Assert.Single((await testing.Storage.Garbage.CollectAsync(Now)).Artifacts).Digest);
        Assert.False(testing.Storage.Artifacts.Contains(orphan));
        string output = (await testing.Storage.Queries.StageAsync(stages[0]))!.OutputDigest!;
        Assert.Null(testing.Storage.Artifacts.Verify(output));
    }

    [Fact]
    public async Task ExpiredRunsGoWithTheirOutputsUnlessAVersionNeedsThem()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (kept, keptStages) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        var (gone, goneStages) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        var (running, _) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        string needed = await OutputAsync(testing, keptStages[0]);
        string unneeded = await OutputAsync(testing, goneStages[0]);
        var model = new NewModelVersion("m", needed, "{}", "{}", null, null, "{}", "1", kept, "", """{"imported": {}}""");
        await testing.Storage.Registry.ImportModelAsync(model, new SealedArtifact(needed, "model", 1, 1), "user:test");

        var policy = Now with { RunAge = TimeSpan.Zero };
        Collected planned = await testing.Storage.Garbage.CollectAsync(policy, dryRun: true);
        Collected done = await testing.Storage.Garbage.CollectAsync(policy);
        Assert.Equal([gone], done.Runs);
        Assert.Equal(planned.Runs, done.Runs);
        Assert.Equal(planned.Artifacts, done.Artifacts);
        Assert.Equal(unneeded, Assert.Single(done.Artifacts).Digest);
        Assert.Null(testing.Storage.Artifacts.Verify(needed));
        Assert.NotNull(await testing.Storage.Queries.RunAsync(kept));
        Assert.NotNull(await testing.Storage.Queries.RunAsync(running));
        Assert.Null(await testing.Storage.Queries.RunAsync(gone));
    }

    [Fact]
    public async Task CheckpointsOfEndedRunsGoWhenThePolicySaysSo()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            1,
            [
                [],
            ]
        );
        await DieAfterCheckpointAsync(testing, stages[0], 1);
        await testing.Storage.Leases.FailAsync((await testing.ClaimAsync(stages[0]))!, "died", isPermanent: true, TimeSpan.Zero);
        Assert.Empty((await testing.Storage.Garbage.CollectAsync(Now)).Artifacts);
        Collected done = await testing.Storage.Garbage.CollectAsync(Now with { CheckpointAge = TimeSpan.Zero });
        Assert.Equal(1, done.Checkpoints);
        Assert.Single(done.Artifacts);
    }

    /// <summary>Folders sealed a moment ago count as old.</summary>
    private static RetentionPolicy Now => new() { OrphanAge = TimeSpan.FromSeconds(-5) };

    private static async Task<string> OutputAsync(StorageTesting testing, long stage)
    {
        await testing.CompleteAsync((await testing.ClaimAsync(stage))!);
        return (await testing.Storage.Queries.StageAsync(stage))!.OutputDigest!;
    }
}
