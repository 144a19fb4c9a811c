using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class RunStoreTests(PostgresFixture postgres)
{
    [Fact]
    public async Task ARetryRunsTheFailedStageAndItsDescendantsOnly()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            1,
            [
                [],
                [0],
                [0],
                [1, 2],
                [3],
            ]
        );
        await testing.CompleteAsync((await testing.ClaimAsync(stages[0]))!);
        await testing.CompleteAsync((await testing.ClaimAsync(stages[1]))!);
        await testing.Storage.Leases.FailAsync((await testing.ClaimAsync(stages[2]))!, "broken", true, TimeSpan.Zero);
        Assert.Equal(RunState.Failed, await testing.RunStateAsync(runId));

        var ready = await testing.Storage.Runs.RetryStageAsync(stages[2], "user:test");
        Assert.Equal([stages[2]], ready.Select(stage => stage.Id));
        Assert.Equal(RunState.Running, await testing.RunStateAsync(runId));
        Assert.Equal(StageState.Succeeded, await testing.StateAsync(stages[0]));
        Assert.Equal(StageState.Succeeded, await testing.StateAsync(stages[1]));
        Assert.Equal(1, (await testing.Storage.Queries.StageAsync(stages[3]))!.PendingDependencies);

        foreach (long stage in new[] { stages[2], stages[3], stages[4] })
        {
            await testing.CompleteAsync((await testing.ClaimAsync(stage))!);
        }

        Assert.Equal(RunState.Succeeded, await testing.RunStateAsync(runId));
    }

    [Fact]
    public async Task OnlyWhatFailedCanBeRetried()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            1,
            [
                [],
            ]
        );
        var error = await Assert.ThrowsAsync<StorageException>(() => testing.Storage.Runs.RetryStageAsync(stages[0], "user:test"));
        Assert.Contains("is ready", error.Message);
        await Assert.ThrowsAsync<StorageException>(() => testing.Storage.Runs.RetryRunAsync(runId, "user:test"));
        await Assert.ThrowsAsync<StorageException>(() => testing.Storage.Runs.RetryStageAsync(-1, "user:test"));
    }

    [Fact]
    public async Task ACancelledRunStopsItsWorkAndCanGoOnLater()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
                [0, 1],
            ]
        );
        await testing.CompleteAsync((await testing.ClaimAsync(stages[0]))!);
        var lease = (await testing.ClaimAsync(stages[1]))!;
        Assert.True(await testing.Storage.Runs.CancelAsync(runId, "user:test"));
        Assert.False(await testing.Storage.Runs.CancelAsync(runId, "user:test"));
        Assert.Equal(LeaseState.Lost, testing.Storage.Leases.Heartbeat(lease, StorageTesting.Ttl, null, StorageTesting.Ttl));
        Assert.Null(await testing.CompleteAsync(lease));
        Assert.Equal(StageState.Cancelled, await testing.StateAsync(stages[2]));
        Assert.Equal(RunState.Cancelled, await testing.RunStateAsync(runId));

        Assert.Equal([stages[1]], (await testing.Storage.Runs.RetryRunAsync(runId, "user:test")).Select(stage => stage.Id));
        await testing.CompleteAsync((await testing.ClaimAsync(stages[1]))!);
        await testing.CompleteAsync((await testing.ClaimAsync(stages[2]))!);
        Assert.Equal(RunState.Succeeded, await testing.RunStateAsync(runId));
    }

    [Fact]
    public async Task AGraphThatPointsForwardIsRefusedWhole()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        await Assert.ThrowsAsync<ArgumentException>(() =>
            testing.CreateAsync(
                3,
                [
                    [1],
                    [],
                ]
            )
        );
        Assert.Empty(await testing.Storage.Queries.RunsAsync(new RunFilter()));
    }

    [Fact]
    public async Task RunsAreListedNewestFirstAndByPage()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var ids = new List<long>();
        for (int i = 0; i < 5; i++)
        {
            ids.Add(
                (
                    await testing.CreateAsync(
                        3,
                        [
                            [],
                            [0],
                        ]
                    )
                ).RunId
            );
        }

        var page = await testing.Storage.Queries.RunsAsync(new RunFilter { Limit = 2 });
        Assert.Equal([ids[4], ids[3]], page.Select(run => run.Id));
        var next = await testing.Storage.Queries.RunsAsync(
            new RunFilter
            {
                Limit = 9,
                Before = ids[3],
                State = RunState.Running,
            }
        );
        Assert.Equal([ids[2], ids[1], ids[0]], next.Select(run => run.Id));
        Assert.Equal((2, 0), (next[0].Stages, next[0].StagesDone));
        Assert.Empty(await testing.Storage.Queries.RunsAsync(new RunFilter { Name = "other" }));
    }
}
