using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;
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

    private WorkerTesting()
    {
    }

    public ElectraStorage Storage { get; private set; } = null!;

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

    public async Task<IHost> StartWorkerAsync()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddElectraWorker(Storage, new WorkerOptions
        {
            Concurrency = 3,
            LeaseTtl = TimeSpan.FromSeconds(4),
            RelayInterval = TimeSpan.FromMilliseconds(200),
            Backoff = TimeSpan.FromMilliseconds(10),
            // Nobody waits it out: stages are told to stop at once and given back as soon as they have.
            ShutdownGrace = TimeSpan.FromMinutes(10),
            Program = ["/bin/sh", "-c", ChildCommand],
        });
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
            string[] words = ["pressure", "of", "the", "steam", "drives", "a", "wheel", "and", "every", "valve", "closes", "before", "it", "opens"];
            var documents = Enumerable.Range(0, 60).Select(document => string.Join('\n', Enumerable.Range(0, 6).Select(sentence =>
                string.Join(' ', Enumerable.Range(0, 9).Select(word => words[((document * 31) + (sentence * 17) + (word * (document + 3))) % words.Length])) + ".")));
            folder.Write("corpus.txt", string.Join("\n\n", documents));
        }

        return new RunConfig
        {
            Name = "test",
            Corpus = new CorpusOptions { Paths = [folder[corpus]], Parts = 3, RemoveDuplicateLines = false },
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

            Assert.True(DateTimeOffset.UtcNow < end, "not within 90 s; the stages: " + string.Join(
                ", ", run?.Stages.Select(stage => $"{stage.DisplayName} {stage.State} {stage.Error}") ?? []));
            await Task.Delay(50);
        }
    }

    public Task<RunDetail> WaitForEndAsync(long runId) => WaitAsync(runId, run => run.Summary.State != RunState.Running);
}
