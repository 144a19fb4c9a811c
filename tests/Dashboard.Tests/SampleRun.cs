using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Metrics;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>A run as a worker leaves it when pre-training failed: ingestion done, curves and a log stored.</summary>
/// <param name="Id">The run.</param>
/// <param name="Ingest">Its succeeded stage.</param>
/// <param name="Pretrain">Its failed stage.</param>
internal sealed record SampleRun(long Id, long Ingest, long Pretrain)
{
    private const int Points = 200;
    private const int StepsPerPoint = 20;

    public static async Task<SampleRun> FailedAsync(ElectraStorage storage, string name, string error)
    {
        IReadOnlyList<NewStage> stages =
        [
            new("ingest", "", "cpu", 3, []),
            new("pretrain", "", "cpu", 1, [0]),
            new("evaluate", "", "cpu", 3, [1]),
        ];
        CreatedRun run = await storage.Runs.CreateAsync(new NewRun(name, "{}", "digest", "user", "1", "user:test", stages));
        var ids = (await storage.Queries.RunAsync(run.RunId))!.Stages.ToDictionary(stage => stage.Stage, stage => stage.Id);

        StageLease ingest = await ClaimAsync(storage, ids["ingest"]);
        string work = storage.Artifacts.CreateWorkFolder(ingest.StageRunId, ingest.Epoch);
        await File.WriteAllTextAsync(Path.Combine(work, "manifest.json"), "{}");
        await storage.Leases.CompleteAsync(
            ingest,
            new StageOutput("fingerprint-of-ingest", storage.Artifacts.Seal(work, "corpus"), """{"documents": 4321}""")
        );

        StageLease pretrain = await ClaimAsync(storage, ids["pretrain"]);
        var curve = Enumerable
            .Range(1, Points)
            .SelectMany(point =>
                new MetricValue[]
                {
                    new("train/generator_loss", point * StepsPerPoint, 4 + (6 * Math.Exp(-point / 40.0))),
                    new("heldout/discriminator_auc", point * StepsPerPoint, 0.9 - (0.4 * Math.Exp(-point / 60.0))),
                }
            )
            .ToList();
        await storage.Journal.AppendAsync(pretrain, curve, ["reading the shards", $"stopped: {error}"]);
        await storage.Leases.FailAsync(pretrain, error, isPermanent: true, TimeSpan.Zero);
        return new SampleRun(run.RunId, ids["ingest"], ids["pretrain"]);
    }

    public static async Task<StageLease> ClaimAsync(ElectraStorage storage, long stage) =>
        (await storage.Leases.ClaimAsync(stage, "worker", TimeSpan.FromMinutes(1), null)).Lease
        ?? throw new InvalidOperationException($"stage {stage} could not be claimed");
}
