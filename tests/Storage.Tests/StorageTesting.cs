using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;

namespace ElectraPipeline.Storage.Tests;

/// <summary>A storage over a fresh database and the small runs that tests move through the protocol.</summary>
internal sealed class StorageTesting : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();

    private StorageTesting() { }

    public ElectraStorage Storage { get; private set; } = null!;

    public static TimeSpan Ttl { get; } = TimeSpan.FromSeconds(30);

    public static async Task<StorageTesting> OpenAsync(PostgresFixture postgres)
    {
        var testing = new StorageTesting();
        testing.Storage = await postgres.OpenStorageAsync(testing.folder.Path);
        return testing;
    }

    public async ValueTask DisposeAsync()
    {
        await Storage.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>Creates a run; stage i waits for the stages that parents[i] names.</summary>
    public async Task<(long RunId, IReadOnlyList<long> Stages)> CreateAsync(int maxAttempts, params int[][] parents)
    {
        var stages = parents.Select((waits, i) => new NewStage("stage", $"{i:D4}", "cpu", maxAttempts, waits)).ToList();
        var created = await Storage.Runs.CreateAsync(new NewRun("test", "{}", "none", "user", "1", "user:test", stages));
        var detail = await Storage.Queries.RunAsync(created.RunId);
        return (created.RunId, [.. detail!.Stages.Select(stage => stage.Id)]);
    }

    public async Task<StageLease?> ClaimAsync(long stageRunId, string owner = "worker", TimeSpan? ttl = null, ResourceSlot? slot = null) =>
        (await Storage.Leases.ClaimAsync(stageRunId, owner, ttl ?? Ttl, slot is null ? [] : [slot])).Lease;

    /// <summary>Seals an output whose only file holds <paramref name="text"/>.</summary>
    public SealedArtifact Seal(StageLease lease, string text)
    {
        string work = Storage.Artifacts.CreateWorkFolder(lease.StageRunId, lease.Epoch);
        File.WriteAllText(Path.Combine(work, "out.txt"), text);
        return Storage.Artifacts.Seal(work, "test");
    }

    public Task<StageEnd?> CompleteAsync(StageLease lease, string? fingerprint = null) =>
        Storage.Leases.CompleteAsync(
            lease,
            new StageOutput(fingerprint ?? $"{lease.StageRunId}", Seal(lease, $"output of {lease.StageRunId}"), "{}")
        );

    public async Task<StageState> StateAsync(long stageRunId) => (await Storage.Queries.StageAsync(stageRunId))!.State;

    public async Task<RunState> RunStateAsync(long runId) => (await Storage.Queries.RunAsync(runId))!.Summary.State;
}
