using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class CheckpointTests(PostgresFixture postgres)
{
    [Fact]
    public async Task TheNewestOfTheSameWorkIsFoundAndOldOnesAreRemoved()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(3, [[]]);
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
        var (_, stages) = await testing.CreateAsync(2, [[]]);
        for (int step = 1; step <= 5; step++)
        {
            Assert.True(await DieAfterCheckpointAsync(testing, stages[0], step), $"no attempt was left after step {step}");
        }

        Assert.False(await DieAfterCheckpointAsync(testing, stages[0], 5));
        Assert.Equal(StageState.Failed, await testing.StateAsync(stages[0]));
    }

    private static async Task<bool> DieAfterCheckpointAsync(StorageTesting testing, long stage, int step)
    {
        var lease = (await testing.ClaimAsync(stage))!;
        Assert.True(await testing.Storage.Checkpoints.PublishAsync(lease, step, "work", testing.Seal(lease, $"state at {step}"), keep: 1, retries: 1));
        await testing.Storage.Leases.FailAsync(lease, "died", isPermanent: false, TimeSpan.Zero);
        return await testing.StateAsync(stage) == StageState.Ready;
    }

    [Fact]
    public async Task GarbageIsWhatNothingNames()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(3, [[], []]);
        await testing.CompleteAsync((await testing.ClaimAsync(stages[0]))!);
        var lease = (await testing.ClaimAsync(stages[1]))!;
        string orphan = testing.Seal(lease, "orphan").Digest;
        Assert.Equal(0, (await testing.Storage.Garbage.CollectAsync(TimeSpan.FromHours(1))).Artifacts);
        Assert.Equal(1, (await testing.Storage.Garbage.CollectAsync(TimeSpan.FromSeconds(-5))).Artifacts);
        Assert.False(testing.Storage.Artifacts.Contains(orphan));
        string output = (await testing.Storage.Queries.StageAsync(stages[0]))!.OutputDigest!;
        Assert.Null(testing.Storage.Artifacts.Verify(output));
    }
}
