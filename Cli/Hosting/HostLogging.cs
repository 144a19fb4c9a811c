using Microsoft.Extensions.DependencyInjection;
using Serilog;
using Serilog.Events;

namespace ElectraPipeline.Cli.Hosting;

/// <summary>
/// All log lines go to files of a day each in the data folder, for two weeks. The console has them too where it has nothing else to
/// show; beside a progress display only errors appear there.
/// </summary>
internal static class HostLogging
{
    private const string Template = "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u3} {SourceContext} {Message:lj}{NewLine}{Exception}";

    /// <summary>Folder of the log files.</summary>
    public static string FolderOf(string dataFolder) => Path.Combine(dataFolder, "logs");

    /// <summary>Registers the log.</summary>
    public static IServiceCollection AddElectraLogging(this IServiceCollection services, string dataFolder, bool console) =>
        services.AddSerilog(log =>
            log.MinimumLevel.Information()
                .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
                // Below an error it only complains that its keys lie in a folder, which is on purpose.
                .MinimumLevel.Override("Microsoft.AspNetCore.DataProtection", LogEventLevel.Error)
                .MinimumLevel.Override("Hangfire", LogEventLevel.Warning)
                .Enrich.FromLogContext()
                .WriteTo.File(
                    Path.Combine(FolderOf(dataFolder), "electra-.log"),
                    outputTemplate: Template,
                    rollingInterval: RollingInterval.Day,
                    retainedFileCountLimit: 14,
                    shared: true
                )
                .WriteTo.Console(
                    restrictedToMinimumLevel: console ? LogEventLevel.Information : LogEventLevel.Fatal,
                    outputTemplate: Template,
                    standardErrorFromLevel: LogEventLevel.Verbose
                )
        );
}
