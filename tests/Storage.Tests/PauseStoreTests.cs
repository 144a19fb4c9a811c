using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

namespace ElectraPipeline.Storage.Tests;

public sealed class PauseStoreTests(PostgresFixture postgres)
{
    private const string Ada = "user:ada";
    private const string Worker = "here:12:ab";

    [Theory]
    [InlineData(PauseScope.Run)]
    [InlineData(PauseScope.Queue)]
    [InlineData(PauseScope.Worker)]
    [InlineData(PauseScope.Host)]
    public async Task WhatIsPausedIsNotClaimedUntilItIsResumed(PauseScope scope)
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
            ]
        );
        string subject = await SubjectAsync(testing, scope, runId);
        Assert.True(await testing.Storage.Pauses.PauseAsync(scope, subject, interrupts: false, Ada));
        Assert.False(await testing.Storage.Pauses.PauseAsync(scope, subject, interrupts: false, Ada));

        ClaimOutcome refused = await testing.Storage.Leases.ClaimAsync(stages[0], Worker, StorageTesting.Ttl);
        Assert.Null(refused.Lease);
        Assert.Equal(scope is PauseScope.Worker or PauseScope.Host, refused.IsWorkerPaused);
        Assert.Contains("paused", refused.Reason);
        Assert.Equal(0, (await testing.Storage.Queries.StageAsync(stages[0]))!.Attempt);

        Assert.True(await testing.Storage.Pauses.ResumeAsync(scope, subject, Ada));
        Assert.False(await testing.Storage.Pauses.ResumeAsync(scope, subject, Ada));
        Assert.NotNull(await testing.ClaimAsync(stages[0], Worker));
        Assert.Empty(await testing.Storage.Queries.PausesAsync());
        string[] actions =
        [
            .. (await testing.Storage.Queries.EventsAsync(scope == PauseScope.Run ? runId : null)).Select(entry => entry.Action),
        ];
        Assert.Equal((1, 1), (actions.Count(action => action == "paused"), actions.Count(action => action == "resumed")));
    }

    [Fact]
    public async Task OthersAreNotHeldBack()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (_, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
            ]
        );
        var (other, _) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        await SubjectAsync(testing, PauseScope.Worker, other);
        await testing.Storage.Pauses.PauseAsync(PauseScope.Run, $"{other}", true, Ada);
        await testing.Storage.Pauses.PauseAsync(PauseScope.Queue, "gpu", true, Ada);
        await testing.Storage.Pauses.PauseAsync(PauseScope.Worker, Worker, true, Ada);
        var lease = (await testing.ClaimAsync(stages[0], "here:13:ab"))!;
        Assert.Equal(LeaseState.Held, testing.Storage.Leases.Heartbeat(lease, StorageTesting.Ttl, null, StorageTesting.Ttl));
    }

    [Theory]
    [InlineData(PauseScope.Run)]
    [InlineData(PauseScope.Queue)]
    [InlineData(PauseScope.Worker)]
    [InlineData(PauseScope.Host)]
    public async Task OnlyAStrictPauseAsksForWhatIsAtWork(PauseScope scope)
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            1,
            [
                [],
            ]
        );
        string subject = await SubjectAsync(testing, scope, runId);
        var lease = (await testing.ClaimAsync(stages[0], Worker))!;
        Assert.True(await testing.Storage.Pauses.PauseAsync(scope, subject, interrupts: false, Ada));
        Assert.Equal(LeaseState.Held, testing.Storage.Leases.Heartbeat(lease, StorageTesting.Ttl, null, StorageTesting.Ttl));
        Assert.True(await testing.Storage.Pauses.PauseAsync(scope, subject, interrupts: true, Ada));
        Assert.Equal(LeaseState.Paused, testing.Storage.Leases.Heartbeat(lease, StorageTesting.Ttl, null, StorageTesting.Ttl));

        Assert.True(await testing.Storage.Leases.ReleaseAsync(lease, "paused"));
        Assert.Equal(StageState.Ready, await testing.StateAsync(stages[0]));
        await testing.Storage.Pauses.ResumeAsync(scope, subject, Ada);
        Assert.Equal(1, (await testing.ClaimAsync(stages[0], Worker))!.Attempt);
    }

    [Fact]
    public async Task APausedStageIsNotNudgedAndAResumedOneAtOnce()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        await testing.Storage.Pauses.PauseAsync(PauseScope.Run, $"{runId}", false, Ada);
        Assert.Empty(await testing.Storage.Reconciler.TakeAsync(stages));
        Assert.Empty(await testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.Zero, 10));
        await testing.Storage.Pauses.ResumeAsync(PauseScope.Run, $"{runId}", Ada);
        Assert.Single(await testing.Storage.Reconciler.TakeForgottenAsync(TimeSpan.FromHours(1), 10));
    }

    [Fact]
    public async Task ARetryLiftsThePauseOfItsRunAndOnlyARunThatGoesOnCanBePaused()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, stages) = await testing.CreateAsync(
            3,
            [
                [],
                [],
            ]
        );
        await testing.Storage.Leases.FailAsync((await testing.ClaimAsync(stages[0]))!, "broken", true, TimeSpan.Zero);
        await testing.Storage.Pauses.PauseAsync(PauseScope.Run, $"{runId}", true, Ada);
        Assert.True((await testing.Storage.Queries.RunAsync(runId))!.Summary.IsPaused);
        Assert.Contains("user:ada", (await testing.Storage.Queries.StageAsync(stages[1]))!.Hold);
        await testing.Storage.Runs.RetryRunAsync(runId, Ada);
        Assert.False((await testing.Storage.Queries.RunAsync(runId))!.Summary.IsPaused);

        await testing.Storage.Pauses.PauseAsync(PauseScope.Run, $"{runId}", true, Ada);
        await testing.Storage.Runs.CancelAsync(runId, Ada);
        Assert.Empty(await testing.Storage.Queries.PausesAsync());
        await RefusedAsync(PauseScope.Run, $"{runId}", "cancelled");
        await RefusedAsync(PauseScope.Run, "77", "there is no run 77");
        await RefusedAsync(PauseScope.Run, "x' or 1=1", "there is no run");
        await RefusedAsync(PauseScope.Worker, "nobody", "there is no worker nobody");
        await RefusedAsync(PauseScope.Host, "nowhere", "there is no host nowhere");

        async Task RefusedAsync(PauseScope scope, string subject, string words)
        {
            var refusal = await Assert.ThrowsAsync<StorageException>(() => testing.Storage.Pauses.PauseAsync(scope, subject, true, Ada));
            Assert.Contains(words, refusal.Message);
        }
    }

    [Fact]
    public async Task AskedAtOnceByManyItIsPausedOnceAndResumedOnce()
    {
        await using var testing = await StorageTesting.OpenAsync(postgres);
        var (runId, _) = await testing.CreateAsync(
            3,
            [
                [],
            ]
        );
        bool[] paused = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => testing.Storage.Pauses.PauseAsync(PauseScope.Run, $"{runId}", true, Ada))
        );
        Assert.Single(paused, done => done);
        bool[] resumed = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => testing.Storage.Pauses.ResumeAsync(PauseScope.Run, $"{runId}", Ada))
        );
        Assert.Single(resumed, done => done);
    }

    private static async Task<string> SubjectAsync(StorageTesting testing, PauseScope scope, long runId)
    {
        await testing.Storage.Workers.SeenAsync(Worker, "here", ["cpu"], "1");
        return scope switch
        {
            PauseScope.Run => $"{runId}",
            PauseScope.Queue => "cpu",
            PauseScope.Worker => Worker,
            _ => "here",
        };
    }
}
