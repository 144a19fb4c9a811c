using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Dashboard;

/// <summary>The dashboard's log lines; event ids 4000 to 4999.</summary>
internal static partial class DashboardLog
{
    [LoggerMessage(4000, LogLevel.Warning, "The health check could not reach the database")]
    public static partial void DatabaseUnreachable(ILogger logger, Exception exception);

    [LoggerMessage(4001, LogLevel.Information, "{Actor} asked for {Action} of {Subject}")]
    public static partial void ActionAsked(ILogger logger, string actor, string action, string subject);
}
