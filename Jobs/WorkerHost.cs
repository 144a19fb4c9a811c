using ElectraPipeline.Storage;
using Hangfire;
using Hangfire.PostgreSql;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace ElectraPipeline.Jobs;

/// <summary>Registers what submits, does and schedules runs. Each takes the opened storage, which the caller disposes.</summary>
public static class WorkerHost
{
    /// <summary>Name of the schema with Hangfire's tables, beside ours.</summary>
    public const string HangfireSchema = "hangfire";

    /// <summary>Hangfire's storage and client, submission and schedules: for processes that do no stages.</summary>
    public static IServiceCollection AddElectraClient(this IServiceCollection services, ElectraStorage storage)
    {
        services.TryAddSingleton(storage);
        services.TryAddSingleton(storage.Queries);
        services.TryAddSingleton<StageEnqueuer>();
        services.TryAddSingleton<RunSubmission>();
        services.TryAddSingleton<Schedules>();
        services.AddHangfire(hangfire =>
            hangfire
                .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
                .UseSimpleAssemblyNameTypeSerializer()
                .UseRecommendedSerializerSettings()
                .UsePostgreSqlStorage(
                    connection => connection.UseNpgsqlConnection(Relaxed(storage.Database.ConnectionString)),
                    StorageOptions()
                )
        );
        return services;
    }

    /// <summary>All of <see cref="AddElectraClient"/>, and a worker: Hangfire's server, the relay.</summary>
    public static IServiceCollection AddElectraWorker(this IServiceCollection services, ElectraStorage storage, WorkerOptions options)
    {
        services.AddElectraClient(storage);
        services.AddSingleton(options);
        services.AddSingleton<WorkerIdentity>();
        services.AddSingleton<StageClaims>();
        services.AddSingleton<StageRunner>();
        services.AddTransient<StageJob>();
        services.AddHostedService<Relay>();
        services.AddHostedService<GarbageCollection>();
        services.AddHostedService<ScheduleSynchronization>();
        services.AddHangfireServer(
            (_, server) =>
            {
                server.Queues = [.. options.Queues, Schedules.Queue];
                server.WorkerCount = options.Concurrency;
                server.StopTimeout = TimeSpan.Zero; // When stages are told to stop, not how long they may take: that is what follows.
                server.ShutdownTimeout = options.ShutdownGrace + TimeSpan.FromSeconds(5);
                server.SchedulePollingInterval = TimeSpan.FromSeconds(1);
            }
        );
        return services;
    }

    // Hangfire's rows are nudges, which the relay repeats: its commits need not wait for the disk. A crash of PostgreSQL loses them from
    // the end only, so never one that a commit of ours came after.
    private static string Relaxed(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        builder.Options = $"{builder.Options} -c synchronous_commit=off".TrimStart();
        return builder.ConnectionString;
    }

    // Why each: docs/durability.md, "Hangfire's traps".
    private static PostgreSqlStorageOptions StorageOptions() =>
        new()
        {
            SchemaName = HangfireSchema,
            PrepareSchemaIfNecessary = true,
            UseSlidingInvisibilityTimeout = true,
            InvisibilityTimeout = TimeSpan.FromMinutes(1),
            DistributedLockTimeout = TimeSpan.FromSeconds(5),
            QueuePollInterval = TimeSpan.FromMilliseconds(200),
            EnableLongPolling = false,
        };
}
