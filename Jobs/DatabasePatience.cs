using System.Net.Sockets;
using Npgsql;
using Polly;
using Polly.Retry;

namespace ElectraPipeline.Jobs;

/// <summary>
/// Repeats a step of the protocol while the database is away, so that its restart costs a stage seconds and not an attempt. Each step
/// may be repeated: the lease's epoch tells what was done already. The caller's token ends the wait when the lease is lost.
/// </summary>
internal static class DatabasePatience
{
    private static readonly ResiliencePipeline Pipeline = new ResiliencePipelineBuilder()
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<Exception>(IsAbsence),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(100),
                MaxDelay = TimeSpan.FromSeconds(2),
            }
        )
        .Build();

    /// <summary>Does a step, again and again while the database is away.</summary>
    public static async Task<T> ExecuteAsync<T>(Func<CancellationToken, Task<T>> step, CancellationToken cancellationToken) =>
        await Pipeline.ExecuteAsync(async token => await step(token), cancellationToken);

    /// <summary>
    /// Whether an error says that the database cannot be reached, shuts down or starts, or that its disk or its connections are used up;
    /// not that it refused a statement.
    /// </summary>
    internal static bool IsAbsence(Exception error) =>
        error switch
        {
            PostgresException { SqlState: { } state } => IsAbsence(state),
            NpgsqlException => error.InnerException is SocketException or IOException,
            _ => false,
        };

    private static bool IsAbsence(string sqlState) =>
        sqlState.StartsWith("57P", StringComparison.Ordinal)
        || sqlState.StartsWith("08", StringComparison.Ordinal)
        || sqlState is PostgresErrorCodes.DiskFull or PostgresErrorCodes.TooManyConnections;
}
