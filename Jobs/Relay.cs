using ElectraPipeline.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Jobs;

/// <summary>
/// Repairs what a death at the wrong moment left: leases that ran out, ready stages that nobody enqueued, runs without an end state.
/// Every node runs it; several at once do no harm.
/// </summary>
internal sealed partial class Relay(
    ElectraStorage storage,
    StageEnqueuer enqueuer,
    WorkerIdentity identity,
    WorkerOptions options,
    ILogger<Relay> logger
) : BackgroundService
{
    private const int Batch = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.RelayInterval);
        try
        {
            do
            {
                await TryOnceAsync(stoppingToken);
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }

        await SayGoodbyeAsync();
    }

    private async Task TryOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await storage.Workers.SeenAsync(identity.Id, identity.Host, options.Queues, CodeVersionOf.ThisProgram, cancellationToken);
            await storage.Reconciler.ExpireLeasesAsync(cancellationToken);
            var forgotten = await storage.Reconciler.TakeForgottenAsync(options.RequeueAfter, Batch, cancellationToken);
            await enqueuer.NudgeAgainAsync(forgotten, cancellationToken);
            await storage.Reconciler.FinishRunsAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The database is away: nothing is lost, the next round repairs it.
            LogPaused(logger, e.Message);
        }
    }

    private async Task SayGoodbyeAsync()
    {
        try
        {
            await storage.Workers.GoneAsync(identity.Id);
        }
        catch (Exception e) when (e is Npgsql.NpgsqlException or TimeoutException or ObjectDisposedException)
        {
            LogPaused(logger, e.Message);
        }
    }

    [LoggerMessage(2001, LogLevel.Warning, "The relay pauses: {Error}")]
    private static partial void LogPaused(ILogger logger, string error);
}
