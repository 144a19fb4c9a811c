using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Artifacts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>
/// Removes each hour what nothing names any more: pruned checkpoints and what crashed attempts left. Runs and checkpoints that a user
/// could still want go by "electra gc" alone.
/// </summary>
internal sealed partial class GarbageCollection(ElectraStorage storage, ILogger<GarbageCollection> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await TryCollectAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private async Task TryCollectAsync(CancellationToken cancellationToken)
    {
        try
        {
            Collected collected = await storage.Garbage.CollectAsync(new RetentionPolicy(), dryRun: false, cancellationToken);
            LogCollected(logger, collected.Artifacts.Count, collected.Bytes, collected.WorkFolders);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogPostponed(logger, e.Message);
        }
    }

    [LoggerMessage(4001, LogLevel.Information, "Removed {Artifacts} unnamed artifacts of {Bytes} bytes and {WorkFolders} work folders")]
    private static partial void LogCollected(ILogger logger, int artifacts, long bytes, int workFolders);

    [LoggerMessage(4002, LogLevel.Warning, "The collection of garbage is postponed: {Error}")]
    private static partial void LogPostponed(ILogger logger, string error);
}
