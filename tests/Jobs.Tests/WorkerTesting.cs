using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;
using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ElectraPipeline.Jobs.Tests;

/// <summary>
/// Real workers over a fresh database: Hangfire, relay, leases and the stages that need no LibTorch. Training stages start
/// <see cref="ChildCommand"/> as their child process.
/// </summary>
internal sealed class WorkerTesting : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly TemporaryFolder folder = new();
    private readonly List<IHost> hosts = [];

    private WorkerTesting() { }

    public ElectraStorage Storage { get; private set; } = null!;

    /// <summary>The folder of the corpus.</summary>
    public string Folder => folder.Path;

    /// <summary>What a training stage runs instead of electra; the shell sees the order file as $1.</summary>
    public string ChildCommand { get; init; } = "exit 1";

    public static async Task<WorkerTesting> OpenAsync(PostgresFixture postgres, string childCommand = "exit 1")
    {
        var testing = new WorkerTesting { ChildCommand = childCommand };
        testing.Storage = await postgres.OpenStorageAsync(testing.folder["data"]);
        return testing;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts.ToList())
        {
            await StopAsync(host);
        }

        await Storage.DisposeAsync();
        folder.Dispose();
    }

    public async Task<IHost> StartWorkerAsync(int concurrency = 3, InputFolders? inputs = null, string queue = "cpu")
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddElectraWorker(
            Storage,
            new WorkerOptions
            {
                Queues = [queue],
                Concurrency = concurrency,
                InputFolders = inputs ?? InputFolders.Anywhere,
                LeaseTtl = TimeSpan.FromSeconds(4),
                RelayInterval = TimeSpan.FromMilliseconds(200),
                Backoff = TimeSpan.FromMilliseconds(10),
                // Nobody waits it out: stages are told to stop at once and given back as soon as they have.
                ShutdownGrace = TimeSpan.FromMinutes(10),
                Program = ["/bin/sh", "-c", ChildCommand],
            }
        );
        var host = builder.Build();
        await host.StartAsync();
        hosts.Add(host);
        return host;
    }

    /// <summary>A process that submits and does nothing itself.</summary>
    public IHost CreateClient()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddElectraClient(Storage);
        return builder.Build();
    }

    public async Task StopAsync(IHost host)
    {
        hosts.Remove(host);
        await host.StopAsync();
        host.Dispose();
    }

    /// <summary>A config over a small corpus that is written on first use.</summary>
    public RunConfig Config(string corpus = "corpus.txt")
    {
        if (!File.Exists(folder["corpus.txt"]))
        {
            string[] words =
            [
                "pressure",
                "of",
                "the",
                "steam",
                "drives",
                "a",
                "wheel",
                "and",
                "every",
                "valve",
                "closes",
                "before",
                "it",
                "opens",
            ];
            var documents = Enumerable
                .Range(0, 60)
                .Select(document =>
                    string.Join(
                        '\n',
                        Enumerable
                            .Range(0, 6)
                            .Select(sentence =>
                                string.Join(
                                    ' ',
                                    Enumerable
                                        .Range(0, 9)
                                        .Select(word => words[((document * 31) + (sentence * 17) + (word * (document + 3))) % words.Length])
                                ) + "."
                            )
                    )
                );
            folder.Write("corpus.txt", string.Join("\n\n", documents));
        }

        return new RunConfig
        {
            Name = "test",
            Corpus = new CorpusOptions
            {
                Paths = [folder[corpus]],
                Parts = 3,
                RemoveDuplicateLines = false,
            },
            Vocabulary = new VocabularyOptions { Size = 80 },
            Examples = new ExampleOptions { SequenceLength = 32, HeldOutShare = 0.1 },
        };
    }

    /// <summary>Submits a run as the command line does.</summary>
    public Task<long> SubmitAsync(IHost host, RunConfig config) =>
        host.Services.GetRequiredService<RunSubmission>().SubmitAsync(config, "user", "user:test");

    /// <summary>Waits until the run satisfies <paramref name="condition"/>.</summary>
    public async Task<RunDetail> WaitAsync(long runId, Func<RunDetail, bool> condition)
    {
        DateTimeOffset end = DateTimeOffset.UtcNow + Patience;
        while (true)
        {
            RunDetail? run = null;
            try
            {
                run = await Storage.Queries.RunAsync(runId);
            }
            catch (Npgsql.NpgsqlException)
            {
                // Tests cut connections; ours too.
            }

            if (run is not null && condition(run))
            {
                return run;
            }

            Assert.True(
                DateTimeOffset.UtcNow < end,
                "not within 90 s; the stages: "
                    + string.Join(", ", run?.Stages.Select(stage => $"{stage.DisplayName} {stage.State} {stage.Error}") ?? [])
            );
            await Task.Delay(50);
        }
    }

    public Task<RunDetail> WaitForEndAsync(long runId) => WaitAsync(runId, run => run.Summary.State != RunState.Running);

    /// <summary>Whether pre-training runs and has started its child.</summary>
    public bool HasChild(RunDetail run) =>
        run.Stages.Single(stage => stage.Stage == "pretrain").State == StageState.Running
        && Directory.EnumerateFiles(Path.Combine(Storage.DataFolder, "work"), "order.json", SearchOption.AllDirectories).Any();

    /// <summary>Id of the newest child process of a stage, as its log says: lines are stored a moment after they are written.</summary>
    public async Task<int> ChildOfAsync(long stageRunId)
    {
        DateTimeOffset end = DateTimeOffset.UtcNow + Patience;
        while (true)
        {
            var lines = await Storage.Queries.LogTailAsync(stageRunId);
            if (lines.Select(line => line.Line.Split(' ')).LastOrDefault(words => words is ["child", "process", ..]) is { } words)
            {
                return int.Parse(words[2]);
            }

            Assert.True(DateTimeOffset.UtcNow < end, "the log names no child process within 90 s");
            await Task.Delay(50);
        }
    }

    /// <summary>Ids of the workers seen, once there are so many.</summary>
    public async Task<IReadOnlyList<string>> WorkersAsync(int count)
    {
        DateTimeOffset end = DateTimeOffset.UtcNow + Patience;
        while (true)
        {
            var workers = await Storage.Queries.WorkersAsync();
            if (workers.Count >= count)
            {
                return [.. workers.Select(worker => worker.Id)];
            }

            Assert.True(DateTimeOffset.UtcNow < end, $"{workers.Count} of {count} workers within 90 s");
            await Task.Delay(50);
        }
    }

    /// <summary>Enqueues one more nudge for a stage run and waits until a worker has done with it.</summary>
    public async Task NudgeAsync(IHost host, long stageRunId)
    {
        var hangfire = host.Services.GetRequiredService<IBackgroundJobClient>();
        string job = hangfire.Create<StageJob>(target => target.Run(stageRunId, CancellationToken.None), new EnqueuedState("cpu"));
        var monitor = host.Services.GetRequiredService<JobStorage>().GetMonitoringApi();
        DateTimeOffset end = DateTimeOffset.UtcNow + Patience;
        while (monitor.JobDetails(job).History.All(state => state.StateName is not ("Succeeded" or "Failed" or "Deleted")))
        {
            Assert.True(DateTimeOffset.UtcNow < end, "no worker took the nudge within 90 s");
            await Task.Delay(50);
        }
    }
}
