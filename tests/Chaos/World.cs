using System.Text.Json;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.PostgreSql;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.TestSupport;
using Hangfire;
using Microsoft.Extensions.DependencyInjection;

namespace ElectraPipeline.Chaos;

/// <summary>A private PostgreSQL, a small disk, worker processes: all that a campaign breaks.</summary>
internal sealed class World : IAsyncDisposable
{
    /// <summary>Lease of the workers: short, so that a campaign sees many of them run out.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(4);

    /// <summary>No campaign makes more.</summary>
    public static readonly RunFilter AllRuns = new() { Limit = 10_000 };

    private const string Actor = "user:chaos";
    private const int DiskMegabytes = 256;
    private const int PlannedPerMille = 30;
    private static readonly string[] FakeTimeLibraries =
    [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/faketime/libfaketimeMT.so.1",
    ];
    private readonly TemporaryFolder folder;
    private readonly CampaignOptions options;
    private readonly SmallDisk? disk;
    private readonly FakeS3? bucket;
    private readonly TinyProject project;
    private readonly PrivateCluster cluster;
    private readonly ServiceProvider services;
    private readonly WorkerProcess?[] workers;
    private readonly List<Task> pending = [];
    private int started;

    private World(
        CampaignOptions options,
        TemporaryFolder folder,
        SmallDisk? disk,
        FakeS3? bucket,
        PrivateCluster cluster,
        ElectraStorage storage
    )
    {
        this.bucket = bucket;
        this.folder = folder;
        this.options = options;
        this.disk = disk;
        this.cluster = cluster;
        Storage = storage;
        project = new TinyProject(storage.DataFolder, cluster.ConnectionString);
        services = new ServiceCollection().AddLogging().AddElectraClient(storage).BuildServiceProvider();
        workers = new WorkerProcess?[options.Workers];
        File.WriteAllText(PlanLog, "");
        File.WriteAllText(ClockFile, "+0");
    }

    public ElectraStorage Storage { get; }

    public IBackgroundJobClient Hangfire => services.GetRequiredService<IBackgroundJobClient>();

    public IReadOnlyList<WorkerProcess> RunningWorkers => [.. workers.OfType<WorkerProcess>().Where(worker => worker.IsRunning)];

    /// <summary>Faults at the named places inside the workers, a line each.</summary>
    public IReadOnlyList<string> PlannedFaults => File.ReadAllLines(PlanLog);

    /// <summary>Whether a worker's clock can be stepped here (package faketime).</summary>
    public static bool HasClock => FakeTimeLibrary is not null;

    private static string? FakeTimeLibrary => Array.Find(FakeTimeLibraries, File.Exists);

    private string PlanLog => folder["planned.log"];

    private string ClockFile => folder["clock"];

    /// <summary>Data folder of one of several hosts, which have a bucket in common.</summary>
    private string HostFolder(int worker) => folder[$"host{worker}"];

    private string DatabaseFolder => folder["postgresql"];

    public static async Task<World> CreateAsync(CampaignOptions options)
    {
        var folder = new TemporaryFolder();
        SmallDisk? disk = Environment.IsPrivilegedProcess && !options.Bucket ? new SmallDisk(DiskMegabytes) : null;
        FakeS3? bucket = options.Bucket ? await StumblingBucketAsync(options.Seed) : null;
        PrivateCluster cluster = await PrivateCluster.StartAsync(folder["postgresql"]);
        ElectraStorage storage = await ElectraStorage.OpenAsync(
            new StorageOptions
            {
                DataFolder = disk?.Folder ?? folder["data"],
                ConnectionString = cluster.ConnectionString,
                Artifacts = bucket?.Url("chaos"),
            }
        );
        return new World(options, folder, disk, bucket, cluster, storage);
    }

    /// <summary>A server that now and then is too busy, and now and then does what it is asked but never says so.</summary>
    private static async Task<FakeS3> StumblingBucketAsync(int seed)
    {
        const int StumblesPerMille = 30;
        var dice = new Dice(seed);
        FakeS3 server = await FakeS3.StartAsync();
        server.Refusal = (_, _) => Falls() ? 503 : null;
        server.LosesAnswer = (_, _) => Falls();
        foreach ((string name, string? value) in server.Environment("chaos"))
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        return server;

        bool Falls()
        {
            lock (dice)
            {
                return dice.Next(1000) < StumblesPerMille;
            }
        }
    }

    /// <summary>Submits the pipeline of a seed.</summary>
    public async Task SubmitAsync(int seed)
    {
        project.WriteConfig(steps: Reference.Steps, seed: seed);
        RunConfig config = RunConfigReader.ReadFile(project.Config);
        await DatabasePatience.ExecuteAsync(
            token => services.GetRequiredService<RunSubmission>().SubmitAsync(config, "user", Actor, token),
            CancellationToken.None
        );
    }

    /// <summary>Retries a failed run.</summary>
    public Task RetryAsync(long runId) => services.GetRequiredService<RunSubmission>().RetryRunAsync(runId, Actor);

    /// <summary>Pauses twice at once, and resumes twice at once a while later, however often the database is away then.</summary>
    public async Task<bool> PauseAsync(PauseScope scope, string subject, Dice dice)
    {
        bool interrupts = dice.Next(2) == 0;
        TimeSpan pause = dice.Between(TimeSpan.FromSeconds(1), Lease * 1.5);
        await TwiceAtOnceAsync(token => Storage.Pauses.PauseAsync(scope, subject, interrupts, Actor, token));
        pending.Add(
            Task.Run(async () =>
            {
                await Task.Delay(pause);
                await TwiceAtOnceAsync(token => Storage.Pauses.ResumeAsync(scope, subject, Actor, token));
            })
        );
        return true;
    }

    /// <summary>Cancels twice at once and retries twice at once; the second retry is refused where the first one came before it.</summary>
    public async Task<bool> CancelAndRetryAsync(long runId)
    {
        await TwiceAtOnceAsync(token => Storage.Runs.CancelAsync(runId, Actor, token));
        await TwiceAtOnceAsync(async token =>
        {
            await services.GetRequiredService<RunSubmission>().RetryRunAsync(runId, Actor, token);
            return true;
        });
        return true;
    }

    private static async Task TwiceAtOnceAsync(Func<CancellationToken, Task<bool>> action)
    {
        await Task.WhenAll(OnceAsync(), OnceAsync());

        async Task OnceAsync()
        {
            try
            {
                await DatabasePatience.ExecuteAsync(action, CancellationToken.None);
            }
            catch (StorageException)
            {
                // The run came to its end, or the other one was first.
            }
        }
    }

    /// <summary>Starts workers where none runs, as a service manager does.</summary>
    public void KeepWorkers(bool underFire)
    {
        for (int i = 0; i < workers.Length; i++)
        {
            if (workers[i] is { IsRunning: true })
            {
                continue;
            }

            workers[i]?.Dispose();
            workers[i] = new WorkerProcess(
                BuiltElectra.Start(EnvironmentOf(i, underFire), "worker", "--queues", "cpu,gpu", "--lease", $"{Lease.TotalSeconds}")
            );
        }
    }

    /// <summary>Ends the workers in order.</summary>
    public async Task StopWorkersAsync()
    {
        foreach (WorkerProcess worker in RunningWorkers)
        {
            worker.Signal(Signals.Continue);
            worker.Signal(Signals.Terminate);
        }

        for (int tries = 0; RunningWorkers.Count > 0 && tries < 400; tries++)
        {
            await Task.Delay(100);
        }
    }

    /// <summary>Undoes a fault after a while.</summary>
    public void Later(TimeSpan delay, Action action) =>
        pending.Add(
            Task.Run(async () =>
            {
                await Task.Delay(delay);
                action();
            })
        );

    /// <summary>Waits until every fault has undone itself.</summary>
    public async Task SettleAsync()
    {
        await Task.WhenAll(pending);
        File.WriteAllText(ClockFile, "+0");
    }

    /// <summary>Stops PostgreSQL as a crash does; it is started again by the cluster's watch.</summary>
    public bool StopDatabase()
    {
        if (cluster.ServerProcess is not { } server)
        {
            return false;
        }

        Signals.Send(server, Signals.Quit);
        return true;
    }

    /// <summary>Holds the lock under which PostgreSQL is started, so that nobody starts it; null: somebody does right now.</summary>
    public FileStream? TryHoldDatabaseDown() => FileLock.TryAcquire(Path.Combine(DatabaseFolder, "start.lock"));

    /// <summary>Fills the artifacts' disk; null without one, or if it is full. Returns the file to remove.</summary>
    public string? FillDisk()
    {
        if (disk is null || new DriveInfo(disk.Folder).AvailableFreeSpace < 1 << 20)
        {
            return null;
        }

        string ballast = Path.Combine(disk.Folder, $"ballast-{Guid.NewGuid():N}");
        try
        {
            disk.Fill(ballast, leaveKilobytes: 8);
            return ballast;
        }
        catch (IOException)
        {
            // A worker took the room first. What was written must not stay for ever.
            File.Delete(ballast);
            return null;
        }
    }

    /// <summary>Steps the clock of the first worker; false without the library.</summary>
    public bool StepClock(string offset)
    {
        File.WriteAllText(ClockFile, offset);
        return HasClock;
    }

    /// <summary>The stages of all runs.</summary>
    public async Task<IReadOnlyList<StageRow>> StagesAsync()
    {
        var stages = new List<StageRow>();
        foreach (RunSummary run in await Storage.Queries.RunsAsync(World.AllRuns))
        {
            stages.AddRange((await Storage.Queries.RunAsync(run.Id))!.Stages);
        }

        return stages;
    }

    public async Task<IReadOnlyList<RunSummary>> RunningRunsAsync() =>
        await Storage.Queries.RunsAsync(AllRuns with { State = RunState.Running });

    public async Task<IReadOnlyList<StageRow>> UnfinishedStagesAsync() =>
        [.. (await StagesAsync()).Where(stage => stage.State is not (StageState.Succeeded or StageState.Reused))];

    /// <summary>
    /// Copies the logs of workers and PostgreSQL to a folder that stays, with what the kernel says of PostgreSQL's first process.
    /// </summary>
    public void KeepLogs(string target)
    {
        Directory.CreateDirectory(target);
        IEnumerable<string> hosts = bucket is null ? [Storage.DataFolder] : Enumerable.Range(0, workers.Length).Select(HostFolder);
        string[] folders = [.. hosts.Select(host => Path.Combine(host, "logs")), Path.GetDirectoryName(cluster.LogFile)!];
        foreach (string log in folders.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles).Append(PlanLog))
        {
            File.Copy(log, Path.Combine(target, Path.GetFileName(log)), overwrite: true);
        }

        string state = cluster.ServerProcess is { } server ? File.ReadAllText($"/proc/{server}/status") : "PostgreSQL does not run";
        File.WriteAllText(Path.Combine(target, "postgresql-process.txt"), state);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (WorkerProcess? worker in workers)
        {
            worker?.Dispose();
        }

        await services.DisposeAsync();
        await Storage.DisposeAsync();
        await cluster.DisposeAsync();
        project.Dispose();
        disk?.Dispose();
        if (bucket is not null)
        {
            await bucket.DisposeAsync();
        }

        folder.Dispose();
    }

    private Dictionary<string, string?> EnvironmentOf(int worker, bool underFire)
    {
        Dictionary<string, string?> environment = project.Environment;
        if (bucket is not null)
        {
            environment["ELECTRA_DATA"] = HostFolder(worker);
        }

        environment[FaultPoint.Variable] = underFire
            ? JsonSerializer.Serialize(
                new
                {
                    seed = (options.Seed * 10_000) + started++,
                    perMille = PlannedPerMille,
                    log = PlanLog,
                }
            )
            : null;
        if (worker == 0 && FakeTimeLibrary is { } library)
        {
            environment["LD_PRELOAD"] = library;
            environment["FAKETIME_TIMESTAMP_FILE"] = ClockFile;
            environment["FAKETIME_CACHE_DURATION"] = "1";
            environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";

            // With the fix every timed wait of the runtime ends at once: the worker would do nothing but connect and give up.
            environment["FAKETIME_FORCE_MONOTONIC_FIX"] = "0";
        }

        return environment;
    }
}
