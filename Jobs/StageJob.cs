using Hangfire;

namespace ElectraPipeline.Jobs;

/// <summary>
/// The only entry point for Hangfire: a nudge to try one stage run. A nudge too many finds nothing to claim and ends quietly.
/// </summary>
/// <remarks>Type and method names are stored in Hangfire's tables: never rename them.</remarks>
public sealed class StageJob(StageRunner runner)
{
    /// <summary>Tries the stage run. Our own attempts count, so Hangfire retries nothing.</summary>
    [AutomaticRetry(Attempts = 0)]
    [JobDisplayName("stage run {0}")]
    public Task Run(long stageRunId, CancellationToken cancellationToken) => runner.RunAsync(stageRunId, cancellationToken);
}
