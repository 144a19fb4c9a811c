using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace ElectraPipeline.Storage.Tests;

/// <summary>The protocol of docs/durability.md, against a real PostgreSQL.</summary>
public sealed class StageLeasesTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder folder = new();
    private ElectraStorage storage = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => storage = await postgres.OpenStorageAsync(folder.Path);

    public async ValueTask DisposeAsync()
    {
        await storage.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task OfManyClaimsAtOnceOneWins()
    {
        long stage = (await CreateAsync(new NewStage("a", "", "cpu", 3, []))).Ready[0].Id;

        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => storage.Leases.ClaimAsync(stage, $"worker{i}", Ttl, null, Token)));

        Assert.Single(claims, claim => claim.Lease is not null);
    }

    [Fact]
    public async Task AStaleHolderPublishesNothing()
    {
        long stage = (await CreateAsync(new NewStage("a", "", "cpu", 3, []))).Ready[0].Id;
        var stale = await ClaimAsync(stage, TimeSpan.FromMilliseconds(1));
        await Task.Delay(20, Token);
        await storage.Reconciler.ExpireLeasesAsync(Token);
        var fresh = await ClaimAsync(stage);

        Assert.True(fresh.Epoch > stale.Epoch);
        Assert.False(storage.Leases.Heartbeat(stale, Ttl, null, Ttl));
        Assert.Null(await storage.Leases.CompleteAsync(stale, Output("stale"), cancellationToken: Token));
        Assert.Null(await storage.Leases.FailAsync(stale, "late", isPermanent: true, TimeSpan.Zero, Token));
        Assert.False(await storage.Checkpoints.PublishAsync(stale, 1, "f", Seal("checkpoint"), 2, Token));
        Assert.False(await storage.Journal.AppendAsync(stale, [], ["line"], Token));
        Assert.NotNull(await storage.Leases.CompleteAsync(fresh, Output("fresh"), cancellationToken: Token));
    }

    [Fact]
    public async Task AFanOutIsJoinedOnceHoweverManyEndAtOnce()
    {
        const int Shards = 100;
        var created = await CreateAsync(
        [
            .. Enumerable.Range(0, Shards).Select(i => new NewStage("shard", $"{i:D4}", "cpu", 3, [])),
            new NewStage("join", "", "cpu", 3, [.. Enumerable.Range(0, Shards)]),
        ]);

        var ends = new System.Collections.Concurrent.ConcurrentBag<StageEnd>();
        await Parallel.ForEachAsync(created.Ready, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Token }, async (ready, token) =>
        {
            var lease = await ClaimAsync(ready.Id);
            ends.Add((await storage.Leases.CompleteAsync(lease, Output($"{ready.Id}"), cancellationToken: token))!);
        });

        Assert.Single(ends.SelectMany(end => end.Ready));
        Assert.Equal(Shards, ends.Count);
    }

    [Fact]
    public async Task CompletingTwiceIsHarmless()
    {
        long stage = (await CreateAsync(new NewStage("a", "", "cpu", 3, []))).Ready[0].Id;
        var lease = await ClaimAsync(stage);
        var output = Output("same");

        Assert.NotNull(await storage.Leases.CompleteAsync(lease, output, cancellationToken: Token));
        var again = await storage.Leases.CompleteAsync(lease, output, cancellationToken: Token);

        Assert.Equal(RunState.Succeeded, again!.RunState);
        Assert.Empty(again.Ready);
    }

    [Fact]
    public async Task AStageThatKillsItsWorkerStopsAfterItsAttempts()
    {
        long stage = (await CreateAsync(new NewStage("poison", "", "cpu", 3, []))).Ready[0].Id;
        for (int attempt = 1; attempt <= 3; attempt++)
        {
            await ClaimAsync(stage, TimeSpan.FromMilliseconds(1));
            await Task.Delay(20, Token);
            await storage.Reconciler.ExpireLeasesAsync(Token);
        }

        var row = await storage.Queries.StageAsync(stage, Token);
        Assert.Equal(StageState.Failed, row!.State);
        Assert.Equal("died", row.ErrorKind);
        Assert.Contains("died 3 times", row.Error, StringComparison.Ordinal);
        Assert.Equal(RunState.Failed, (await storage.Queries.RunAsync(row.RunId, Token))!.Summary.State);
    }

    [Fact]
    public async Task RetryRunsTheFailedStageAndWhatWaitsForItAndNothingElse()
    {
        var created = await CreateAsync(new NewStage("a", "", "cpu", 1, []), new NewStage("b", "", "cpu", 1, [0]), new NewStage("c", "", "cpu", 1, [1]));
        var first = await ClaimAsync(created.Ready[0].Id);
        var end = await storage.Leases.CompleteAsync(first, Output("a"), cancellationToken: Token);
        var second = await ClaimAsync(end!.Ready[0].Id);
        await storage.Leases.FailAsync(second, "no such column", isPermanent: true, TimeSpan.Zero, Token);

        var ready = await storage.Runs.RetryRunAsync(created.RunId, "user:test", Token);

        Assert.Equal(second.StageRunId, Assert.Single(ready).Id);
        var stages = (await storage.Queries.RunAsync(created.RunId, Token))!.Stages;
        Assert.Equal([StageState.Succeeded, StageState.Ready, StageState.Blocked], stages.Select(stage => stage.State));
    }

    [Fact]
    public async Task ACancelledRunLosesItsLeases()
    {
        var created = await CreateAsync(new NewStage("a", "", "cpu", 1, []));
        var lease = await ClaimAsync(created.Ready[0].Id);

        Assert.True(await storage.Runs.CancelAsync(created.RunId, "user:test", Token));
        Assert.False(await storage.Runs.CancelAsync(created.RunId, "user:test", Token));
        Assert.False(storage.Leases.Heartbeat(lease, Ttl, null, Ttl));
        Assert.Null(await storage.Leases.CompleteAsync(lease, Output("late"), cancellationToken: Token));
    }

    [Fact]
    public async Task AnInterruptedAttemptIsNotCounted()
    {
        long stage = (await CreateAsync(new NewStage("a", "", "cpu", 1, []))).Ready[0].Id;
        var lease = await ClaimAsync(stage);

        Assert.True(await storage.Leases.ReleaseAsync(lease, "shutdown", Token));
        Assert.Equal(1, (await ClaimAsync(stage)).Attempt);
    }

    [Fact]
    public async Task ASlotHasOneHolderUntilItEnds()
    {
        var slot = new ResourceSlot("training@test", 1);
        var created = await CreateAsync(new NewStage("a", "1", "cpu", 1, []), new NewStage("a", "2", "cpu", 1, []));
        var first = (await storage.Leases.ClaimAsync(created.Ready[0].Id, "w", Ttl, slot, Token)).Lease!;
        var refused = await storage.Leases.ClaimAsync(created.Ready[1].Id, "w", Ttl, slot, Token);
        var end = await storage.Leases.CompleteAsync(first, Output("x"), cancellationToken: Token);

        Assert.Null(refused.Lease);
        Assert.Contains(end!.Ready, ready => ready.Id == created.Ready[1].Id);
        Assert.NotNull((await storage.Leases.ClaimAsync(created.Ready[1].Id, "w", Ttl, slot, Token)).Lease);
    }

    [Fact]
    public void SealedFoldersAreNamedByTheirContentAndDamageIsFound()
    {
        var one = Seal("same");
        var two = Seal("same");
        var other = Seal("other");

        Assert.Equal(one, two);
        Assert.NotEqual(one.Digest, other.Digest);
        Assert.Null(storage.Artifacts.Verify(one.Digest));
        string file = Directory.GetFiles(storage.Artifacts.PathOf(one.Digest)).Single();
        File.Delete(file);
        File.WriteAllText(file, "changed");
        Assert.NotNull(storage.Artifacts.Verify(one.Digest));
    }

    private Task<CreatedRun> CreateAsync(params NewStage[] stages) =>
        storage.Runs.CreateAsync(new NewRun("test", "{}", "digest", "user", "1", "user:test", stages), Token);

    private async Task<StageLease> ClaimAsync(long stage, TimeSpan? ttl = null) =>
        (await storage.Leases.ClaimAsync(stage, "worker", ttl ?? Ttl, null, Token)).Lease ?? throw new InvalidOperationException("nothing to claim");

    private StageOutput Output(string content) => new("fingerprint " + content, Seal(content), "{}");

    private SealedArtifact Seal(string content)
    {
        string work = Directory.CreateDirectory(Path.Combine(folder.Path, "made", Guid.NewGuid().ToString("N"))).FullName;
        File.WriteAllText(Path.Combine(work, "file.txt"), content);
        return storage.Artifacts.Seal(work, "test");
    }
}
