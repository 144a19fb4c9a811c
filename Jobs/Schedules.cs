using Cronos;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Training;
using Hangfire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>
/// Runs that start by the clock. Our table is the truth; Hangfire's recurring jobs follow it. A scheduled run makes new dataset and
/// model versions from what has changed and reuses every stage whose inputs have not.
/// </summary>
public sealed partial class Schedules(
    ElectraStorage storage,
    IRecurringJobManager recurring,
    RunSubmission submission,
    ILogger<Schedules> logger
)
{
    /// <summary>The queue of the jobs that start runs.</summary>
    public const string Queue = "schedules";

    private const string JobPrefix = "schedule:";

    /// <summary>Makes a schedule, or replaces the one of this name.</summary>
    /// <exception cref="PermanentException">The cron expression or the time zone is not one.</exception>
    public async Task SaveAsync(
        string name,
        string cron,
        string timeZone,
        RunConfig config,
        string actor,
        CancellationToken cancellationToken = default
    )
    {
        NextRuns(cron, timeZone, DateTimeOffset.UtcNow, 1);
        await storage.Schedules.SaveAsync(name, cron, timeZone, CanonicalJson.Write(config), enabled: true, actor, cancellationToken);
        Follow(name, cron, timeZone, enabled: true);
    }

    /// <summary>Removes a schedule, not its runs; false: there is none of this name.</summary>
    public async Task<bool> RemoveAsync(string name, string actor, CancellationToken cancellationToken = default)
    {
        recurring.RemoveIfExists(JobPrefix + name);
        return await storage.Schedules.DeleteAsync(name, actor, cancellationToken);
    }

    /// <summary>Turns a schedule on or off; false: there is none of this name.</summary>
    public async Task<bool> SetEnabledAsync(string name, bool enabled, string actor, CancellationToken cancellationToken = default)
    {
        bool found = await storage.Schedules.SetEnabledAsync(name, enabled, actor, cancellationToken);
        await SynchronizeAsync(cancellationToken);
        return found;
    }

    /// <summary>Starts a run of a schedule now; returns its id. Hangfire calls it too: never rename it.</summary>
    /// <exception cref="StorageException">There is no schedule of this name.</exception>
    [AutomaticRetry(Attempts = 3)]
    [Queue(Queue)]
    public async Task<long> StartAsync(string name, string actor, CancellationToken cancellationToken)
    {
        var schedule =
            (await storage.Queries.SchedulesAsync(cancellationToken)).SingleOrDefault(row => row.Name == name)
            ?? throw new StorageException($"there is no schedule '{name}'");
        var config = CanonicalJson.Read<RunConfig>(schedule.Config);
        return await submission.SubmitAsync(config, JobPrefix + name, actor, cancellationToken);
    }

    /// <summary>Makes Hangfire's recurring jobs equal to the table. One that this host cannot read is logged and left as it is.</summary>
    public async Task SynchronizeAsync(CancellationToken cancellationToken = default)
    {
        foreach (ScheduleRow row in await storage.Queries.SchedulesAsync(cancellationToken))
        {
            try
            {
                Follow(row.Name, row.Cron, row.TimeZone, row.Enabled);
            }
            catch (PermanentException e)
            {
                LogUnreadable(logger, row.Name, e.Message);
            }
        }
    }

    /// <summary>The next times a stored schedule starts a run, or why this host cannot tell: its time zones may be fewer.</summary>
    public static (IReadOnlyList<DateTimeOffset> Runs, string? Fault) TryNextRuns(ScheduleRow schedule, DateTimeOffset after, int count)
    {
        try
        {
            return (NextRuns(schedule.Cron, schedule.TimeZone, after, count), null);
        }
        catch (PermanentException e)
        {
            return ([], e.Message);
        }
    }

    /// <summary>The next times a schedule starts a run.</summary>
    /// <exception cref="PermanentException">The cron expression or the time zone is not one.</exception>
    public static IReadOnlyList<DateTimeOffset> NextRuns(string cron, string timeZone, DateTimeOffset after, int count)
    {
        CronExpression expression;
        try
        {
            expression = CronExpression.Parse(
                cron,
                cron.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard
            );
        }
        catch (CronFormatException e)
        {
            throw new PermanentException(
                $"'{cron}' is no cron expression: {e.Message} Five fields are expected: minute, hour, day, month, weekday (\"30 2 * "
                    + "* *\").",
                e
            );
        }

        var zone = ZoneOf(timeZone);
        var runs = new List<DateTimeOffset>();
        while (runs.Count < count && expression.GetNextOccurrence(runs.Count == 0 ? after : runs[^1], zone) is { } next)
        {
            runs.Add(next);
        }

        return runs;
    }

    private static TimeZoneInfo ZoneOf(string timeZone)
    {
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(timeZone);
        }
        catch (TimeZoneNotFoundException e)
        {
            throw new PermanentException(
                $"there is no time zone '{timeZone}' here; names are like Europe/Berlin or UTC (Debian package tzdata).",
                e
            );
        }
    }

    private void Follow(string name, string cron, string timeZone, bool enabled)
    {
        if (!enabled)
        {
            recurring.RemoveIfExists(JobPrefix + name);
            return;
        }

        recurring.AddOrUpdate<Schedules>(
            JobPrefix + name,
            Queue,
            schedules => schedules.StartAsync(name, JobPrefix + name, CancellationToken.None),
            cron,
            new RecurringJobOptions { TimeZone = ZoneOf(timeZone), MisfireHandling = MisfireHandlingMode.Relaxed }
        );
    }

    [LoggerMessage(3001, LogLevel.Warning, "Schedule {Name} cannot start runs from this host: {Fault}")]
    private static partial void LogUnreadable(ILogger logger, string name, string fault);
}

/// <summary>Makes Hangfire follow the table when a worker starts.</summary>
internal sealed class ScheduleSynchronization(Schedules schedules) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => schedules.SynchronizeAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
