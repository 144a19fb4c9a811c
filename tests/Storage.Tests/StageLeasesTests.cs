using ElectraPipeline.Storage.Metrics;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class StageLeasesTests(PostgresFixture postgres)
{
    private static readonly TimeSpan Expired = TimeSpan.FromMilliseconds(-1);

    [Fact]
    public async Task OnlyOneOfManyClaimsWins()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => testing.ClaimAsync(stages[0], $"worker{i}")));
        var lease = Assert.Single(leases, lease => lease is not null)!;
        Assert.Equal((1, 1L), (lease.Attempt, lease.Epoch));
        Assert.Equal(lease.Owner, (await testing.Storage.Queries.StageAsync(stages[0]))!.LeaseOwner);
    }

    [Fact]
    public async Task AStaleHolderPublishesNothing()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        var stale = (await testing.ClaimAsync(stages[0], "stale", Expired))!;
        Assert.Single(await testing.Storage.Reconciler.ExpireLeasesAsync());
        var fresh = (await testing.ClaimAsync(stages[0], "fresh"))!;

        Assert.Equal(LeaseState.Lost, testing.Storage.Leases.Heartbeat(stale, StorageTesting.Ttl, null, StorageTesting.Ttl));
        Assert.False(await testing.Storage.Checkpoints.PublishAsync(stale, 1, "f", testing.Seal(stale, "checkpoint"), keep: 2, retries: 2));
        Assert.False(await testing.Storage.Journal.AppendAsync(stale, [new MetricValue("loss", 0, 1)], ["line"]));
        Assert.False(await testing.Storage.Leases.ReleaseAsync(stale, "late"));
        Assert.Null(await testing.Storage.Leases.FailAsync(stale, "late", false, TimeSpan.Zero));
        Assert.Null(await testing.CompleteAsync(stale, "stale"));
        Assert.Empty(await testing.Storage.Queries.CheckpointsAsync(stages[0]));
        Assert.Empty(await testing.Storage.Queries.LogTailAsync(stages[0]));
        Assert.Null(await testing.Storage.Leases.FindCachedAsync("stage", "stale"));

        Assert.Equal(
            LeaseState.Held,
            testing.Storage.Leases.Heartbeat(fresh, StorageTesting.Ttl, new StageProgress(1, 2, "steps"), StorageTesting.Ttl)
        );
        Assert.Equal(RunState.Succeeded, (await testing.CompleteAsync(fresh))!.RunState);
    }

    [Fact]
    public async Task ACompletionThatIsRepeatedCountsOnce()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
                [0, 1],
            ]
        );
        var lease = (await testing.ClaimAsync(stages[0]))!;
        var output = new StageOutput("f", testing.Seal(lease, "text"), "{}");
        var ends = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => testing.Storage.Leases.CompleteAsync(lease, output)));
        Assert.All(ends, Assert.NotNull);
        Assert.Equal(1, (await testing.Storage.Queries.StageAsync(stages[2]))!.PendingDependencies);
        Assert.Equal(StageState.Blocked, await testing.StateAsync(stages[2]));
    }

    [Fact]
    public async Task TwoHundredShardsJoinOnce()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        int[][] parents =
        [
            [],
            .. Enumerable.Range(0, 200).Select(_ => new[] { 0 }),
            [.. Enumerable.Range(1, 200)],
        ];
        var (runId, stages) = await testing.CreateAsync(3, parents);
        var first = await testing.CompleteAsync((await testing.ClaimAsync(stages[0]))!);
        Assert.Equal(200, first!.Ready.Count);

        var joins = new System.Collections.Concurrent.ConcurrentBag<long>();
        await Parallel.ForEachAsync(
            first.Ready,
            new ParallelOptions { MaxDegreeOfParallelism = 12 },
            async (shard, _) =>
            {
                var end = await testing.CompleteAsync((await testing.ClaimAsync(shard.Id))!);
                end!.Ready.ToList().ForEach(ready => joins.Add(ready.Id));
            }
        );
        Assert.Equal([stages[201]], joins);
        Assert.Equal(RunState.Running, await testing.RunStateAsync(runId));
        await testing.CompleteAsync((await testing.ClaimAsync(stages[201]))!);
        Assert.Equal(RunState.Succeeded, await testing.RunStateAsync(runId));
    }

    [Fact]
    public async Task AStageThatKillsItsWorkerStopsAfterItsLastAttempt()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [0],
            ]
        );
        for (int attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Equal(attempt, (await testing.ClaimAsync(stages[0], "doomed", Expired))!.Attempt);
            var expired = Assert.Single(await testing.Storage.Reconciler.ExpireLeasesAsync());
            Assert.Equal(attempt == 3, expired.Failed);
        }

        var stage = (await testing.Storage.Queries.StageAsync(stages[0]))!;
        Assert.Equal((StageState.Failed, "died"), (stage.State, stage.ErrorKind));
        Assert.Contains("died 3 times", stage.Error);
        Assert.Contains("doomed", stage.Error);
        Assert.Equal(RunState.Failed, await testing.RunStateAsync(runId));
        Assert.Null(await testing.ClaimAsync(stages[0]));
    }

    [Fact]
    public async Task AnInterruptedAttemptIsNotCounted()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            1,
            [
                [],
            ]
        );
        for (int i = 0; i < 5; i++)
        {
            var lease = (await testing.ClaimAsync(stages[0]))!;
            Assert.Equal((1, i + 1L), (lease.Attempt, lease.Epoch));
            Assert.True(await testing.Storage.Leases.ReleaseAsync(lease, "shutdown"));
        }

        Assert.Equal(StageState.Ready, await testing.StateAsync(stages[0]));
    }

    [Fact]
    public async Task AFailureIsTriedAgainAfterABackoffUnlessItIsPermanent()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            2,
            [
                [],
                [],
            ]
        );
        var lease = (await testing.ClaimAsync(stages[0]))!;
        await testing.Storage.Leases.FailAsync(lease, "disk", false, TimeSpan.FromHours(1));
        var waiting = (await testing.Storage.Queries.StageAsync(stages[0]))!;
        Assert.Equal((StageState.Ready, "retryable", "disk"), (waiting.State, waiting.ErrorKind, waiting.Error));
        Assert.Null(await testing.ClaimAsync(stages[0]));
        Assert.DoesNotContain(await testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.Zero, 10), ready => ready.Id == stages[0]);

        await testing.Storage.Leases.FailAsync((await testing.ClaimAsync(stages[1]))!, "bad config", true, TimeSpan.Zero);
        Assert.Equal(StageState.Failed, await testing.StateAsync(stages[1]));
    }

    [Fact]
    public async Task ASlotHasOneHolderAndIsHandedOnWhenItIsFree()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
            ]
        );
        var slot = new ResourceSlot("training@here", 1);
        var holder = (await testing.ClaimAsync(stages[0], slot: slot))!;
        var refused = await testing.Storage.Leases.ClaimAsync(stages[1], "other", StorageTesting.Ttl, [slot]);
        Assert.Equal((null, "waits for training@here"), (refused.Lease, refused.Reason));
        var waiting = (await testing.Storage.Queries.StageAsync(stages[1]))!;
        Assert.Equal((StageState.Ready, 0, "training@here"), (waiting.State, waiting.Attempt, waiting.WaitingFor));

        var end = await testing.CompleteAsync(holder);
        Assert.Equal([stages[1]], end!.Ready.Select(ready => ready.Id));
        Assert.NotNull(await testing.ClaimAsync(stages[1], slot: slot));
    }

    [Fact]
    public async Task ASlotFreedWhileItIsAskedForIsNotForgotten()
    {
        const int Turns = 200;
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(3, [.. Enumerable.Repeat<int[]>([], Turns)]);
        var slot = new ResourceSlot("training@here", 1);
        StageLease holder = (await testing.ClaimAsync(stages[0], slot: slot))!;
        for (int turn = 1; turn < Turns; turn++)
        {
            var output = new StageOutput($"{turn}", testing.Seal(holder, $"{turn}"), "{}");
            Task<StageEnd?> end = Task.Run(() => testing.Storage.Leases.CompleteAsync(holder, output));

            // Each turn asks a little later within the time that a completion takes.
            await Task.Delay(TimeSpan.FromMilliseconds(turn % 8));
            StageLease? next = await testing.ClaimAsync(stages[turn], slot: slot);
            if (next is null)
            {
                Assert.Contains(stages[turn], (await end)!.Ready.Select(ready => ready.Id));
                next = await testing.ClaimAsync(stages[turn], slot: slot);
            }

            Assert.NotNull(await end);
            Assert.NotNull(next);
            holder = next;
        }
    }

    [Fact]
    public async Task ADeadHoldersSlotIsTakenOver()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
            ]
        );
        var slot = new ResourceSlot("training@here", 1);
        Assert.NotNull(await testing.ClaimAsync(stages[0], ttl: Expired, slot: slot));
        Assert.NotNull(await testing.ClaimAsync(stages[1], slot: slot));
    }

    [Fact]
    public async Task ReadyStagesAreTakenForEnqueuingByOneNodeOnly()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        await testing.CreateAsync(3, [.. Enumerable.Range(0, 50).Select(_ => Array.Empty<int>())]);
        var taken = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(_ => testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.FromMinutes(1), 100))
        );
        Assert.Equal(50, taken.Sum(part => part.Count));
        Assert.Equal(50, taken.SelectMany(part => part).Select(stage => stage.Id).Distinct().Count());
    }

    [Fact]
    public async Task WhatIsEnqueuedOnceIsNotTakenTwice()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(1, [], []);
        Assert.Equal(2, (await testing.Storage.Reconciler.TakeAsync(stages)).Count);
        Assert.Empty(await testing.Storage.Reconciler.TakeAsync(stages));
        Assert.Empty(await testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.FromMinutes(1), 10));

        // One that waits for a slot is to be enqueued when the slot is free, although it was before.
        var slot = new ResourceSlot("training@host", 1);
        var holder = (await testing.ClaimAsync(stages[0], slot: slot))!;
        Assert.Null(await testing.ClaimAsync(stages[1], slot: slot));
        Assert.Equal(stages[1], Assert.Single((await testing.CompleteAsync(holder))!.Ready).Id);
        Assert.Single(await testing.Storage.Reconciler.TakeAsync([stages[1]]));
    }

    [Fact]
    public async Task StagesTakeTogetherNoMoreMemoryThanTheirHostHas()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
                [],
                [],
            ]
        );
        static ResourceSlot Memory(int amount) => new("memory@here", 8, amount);
        var five = (await testing.ClaimAsync(stages[0], slot: Memory(5)))!;
        Assert.Null(await testing.ClaimAsync(stages[1], slot: Memory(4)));
        Assert.Equal("memory@here", (await testing.Storage.Queries.StageAsync(stages[1]))!.WaitingFor);
        Assert.NotNull(await testing.ClaimAsync(stages[2], slot: Memory(3)));

        var end = await testing.CompleteAsync(five);
        Assert.Equal([stages[1]], end!.Ready.Select(ready => ready.Id));
        Assert.NotNull(await testing.ClaimAsync(stages[1], slot: Memory(4)));

        var refused = await testing.Storage.Leases.ClaimAsync(stages[3], "worker", StorageTesting.Ttl, [Memory(9)]);
        Assert.Equal("waits for memory@here (9 needed, 8 there)", refused.Reason);
        Assert.Equal(0, (await testing.Storage.Queries.StageAsync(stages[3]))!.Attempt);
    }

    [Fact]
    public async Task OneOfTwoSlotsIsNotKeptWhenTheOtherIsFull()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
                [],
            ]
        );
        var training = new ResourceSlot("training@here", 1);
        Assert.NotNull(await testing.ClaimAsync(stages[0], slot: new ResourceSlot("memory@here", 8, 8)));
        var refused = await testing.Storage.Leases.ClaimAsync(
            stages[1],
            "w",
            StorageTesting.Ttl,
            [training, new ResourceSlot("memory@here", 8, 1)]
        );
        Assert.Equal("waits for memory@here", refused.Reason);
        Assert.NotNull(await testing.ClaimAsync(stages[2], slot: training));
    }

    [Fact]
    public async Task TheMoreUrgentOfAQueueIsNamedAndNudgedFirst()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, usual) = await testing.CreateAsync(
            3,
            [
                [],
                [],
            ]
        );
        var urgent = await testing.Storage.Runs.CreateAsync(
            new NewRun(
                "urgent",
                "{}",
                "none",
                "user",
                "1",
                "user:test",
                [new NewStage("stage", "", "cpu", 3, [], MemoryGb: 4)],
                Priority: 10
            )
        );
        long first = urgent.Ready[0].Id;
        Assert.Equal(first, (await testing.Storage.Leases.FindNudgedAsync(usual[0]))!.MoreUrgent);
        Assert.Equal(new NudgedStage(first, "stage", StageState.Ready, 4, null), await testing.Storage.Leases.FindNudgedAsync(first));
        Assert.Equal(first, (await testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.Zero, 1)).Single().Id);

        await testing.Storage.Pauses.PauseAsync(PauseScope.Run, $"{urgent.RunId}", false, "user:test");
        Assert.Null((await testing.Storage.Leases.FindNudgedAsync(usual[0]))!.MoreUrgent);
    }

    [Fact]
    public async Task ADiskThatTakesNoFilesCostsNoAttempt()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            1,
            [
                [],
            ]
        );
        var lease = (await testing.ClaimAsync(stages[0]))!;
        Assert.True(await testing.Storage.Leases.HoldAsync(lease, "disk@here", "no space", TimeSpan.Zero));
        var held = (await testing.Storage.Queries.StageAsync(stages[0]))!;
        Assert.Equal(
            (StageState.Ready, 0, "disk", "no space", "disk@here"),
            (held.State, held.Attempt, held.ErrorKind, held.Error, held.WaitingFor)
        );
        Assert.Equal(1, (await testing.ClaimAsync(stages[0]))!.Attempt);
        var atWork = (await testing.Storage.Queries.StageAsync(stages[0]))!;
        Assert.Equal((null, null, null), (atWork.ErrorKind, atWork.Error, atWork.WaitingFor));
        Assert.False(await testing.Storage.Leases.HoldAsync(lease, "disk@here", "stale", TimeSpan.Zero));
    }
}
