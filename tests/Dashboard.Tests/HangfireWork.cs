using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Xunit;

namespace ElectraPipeline.Dashboard.Tests;

/// <summary>A real Hangfire server on a queue of its own, with one job in each state that its pages show.</summary>
internal sealed class HangfireWork : IDisposable
{
    private const string Queue = "pages";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly BackgroundJobServer server;

    private readonly JobStorage storage;

    private HangfireWork(BackgroundJobServer server, JobStorage storage) => (this.server, this.storage) = (server, storage);

    /// <summary>The jobs, by the state that each is in.</summary>
    public required IReadOnlyDictionary<string, string> Jobs { get; init; }

    public static async Task<HangfireWork> StartAsync(JobStorage storage)
    {
        var client = new BackgroundJobClient(storage);
        var server = new BackgroundJobServer(
            new BackgroundJobServerOptions
            {
                Queues = [Queue],
                WorkerCount = 4,
                SchedulePollingInterval = TimeSpan.FromSeconds(1),
                ShutdownTimeout = TimeSpan.Zero,
            },
            storage
        );
        var jobs = new Dictionary<string, string>
        {
            ["Processing"] = Enqueue(client, nameof(SampleJobs.Wait)),
            ["Succeeded"] = Enqueue(client, nameof(SampleJobs.Succeed)),
            ["Failed"] = Enqueue(client, nameof(SampleJobs.FailForGood)),
            ["Scheduled"] = Enqueue(client, nameof(SampleJobs.FailForNow)),
            ["Enqueued"] = client.Create(JobOf(nameof(SampleJobs.Succeed)), new EnqueuedState("nobody")),
            ["Deleted"] = client.Create(JobOf(nameof(SampleJobs.Succeed)), new DeletedState()),
        };
        jobs["Awaiting"] = client.Create(
            JobOf(nameof(SampleJobs.Succeed)),
            new AwaitingState(jobs["Processing"], new EnqueuedState(Queue))
        );
        new RecurringJobManager(storage).AddOrUpdate("sample", JobOf(nameof(SampleJobs.Succeed)), Cron.Yearly());
        var work = new HangfireWork(server, storage) { Jobs = jobs };
        await work.SettleAsync();
        return work;
    }

    /// <summary>All states that a job has been in.</summary>
    public IEnumerable<string> StatesOf(string job) => storage.GetMonitoringApi().JobDetails(job).History.Select(state => state.StateName);

    public void Dispose()
    {
        server.SendStop();
        server.Dispose();
    }

    private static string Enqueue(BackgroundJobClient client, string method) => client.Create(JobOf(method), new EnqueuedState(Queue));

    private static Job JobOf(string method) =>
        new(typeof(SampleJobs), typeof(SampleJobs).GetMethod(method)!, method == nameof(SampleJobs.Wait) ? [CancellationToken.None] : []);

    private async Task SettleAsync()
    {
        using IStorageConnection connection = storage.GetConnection();
        long start = TimeProvider.System.GetTimestamp();
        foreach (var (state, job) in Jobs)
        {
            while (connection.GetStateData(job)?.Name is var now && now != state)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, $"job {job} is {now}, not {state}");
                await Task.Delay(100);
            }
        }
    }
}

/// <summary>What the jobs do; Hangfire makes and calls it.</summary>
public sealed class SampleJobs
{
    public static void Succeed()
    {
        // Its end is all that is looked at.
    }

    [AutomaticRetry(Attempts = 0)]
    public static void FailForGood() => throw new InvalidOperationException("for good");

    [AutomaticRetry(Attempts = 3, DelaysInSeconds = [3600])]
    public static void FailForNow() => throw new InvalidOperationException("for now");

    [AutomaticRetry(Attempts = 0)]
    public static void Wait(CancellationToken cancellationToken) => cancellationToken.WaitHandle.WaitOne();
}
