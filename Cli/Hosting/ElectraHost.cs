using ElectraPipeline.Dashboard;
using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ElectraPipeline.Cli.Hosting;

/// <summary>What a process does beside its command: a worker, the dashboard, both, or only a client of the queue.</summary>
/// <param name="Worker">Settings of the worker; null: none.</param>
/// <param name="Dashboard">Settings of the dashboard; null: none.</param>
/// <param name="LogToConsole">Whether the log also goes to standard error.</param>
internal sealed record HostParts(WorkerOptions? Worker, DashboardOptions? Dashboard, bool LogToConsole);

/// <summary>The services of this process, started.</summary>
internal sealed class ElectraHost : IAsyncDisposable
{
    private readonly IHost host;

    private ElectraHost(IHost host) => this.host = host;

    /// <summary>Submits runs.</summary>
    public RunSubmission Submission => host.Services.GetRequiredService<RunSubmission>();

    /// <summary>Makes and removes schedules.</summary>
    public Schedules Schedules => host.Services.GetRequiredService<Schedules>();

    /// <summary>Starts the parts on an opened storage, which stays the caller's.</summary>
    /// <exception cref="UsageException">The dashboard's port is taken.</exception>
    /// <exception cref="StorageException">There is to be a worker, and its artifacts' bucket cannot be used from here.</exception>
    public static async Task<ElectraHost> StartAsync(ElectraStorage storage, HostParts parts, CancellationToken cancellationToken)
    {
        if (parts.Worker is not null)
        {
            // One host without credentials must not use up the attempts of everybody's stages.
            await Task.Run(storage.Artifacts.Probe, cancellationToken);
        }

        var host = new ElectraHost(
            parts.Dashboard is { } dashboard ? WithDashboard(storage, parts, dashboard) : WithoutDashboard(storage, parts)
        );
        try
        {
            await host.host.StartAsync(cancellationToken);
            return host;
        }
        catch (Exception e)
        {
            await host.DisposeAsync();
            if (e is IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException })
            {
                throw new UsageException($"port {parts.Dashboard!.Port} is taken by another program; name another with --port");
            }

            throw;
        }
    }

    /// <summary>Stops the parts: stages under way write a checkpoint and go back to the queue.</summary>
    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        await ((IAsyncDisposable)host).DisposeAsync();
    }

    private static WebApplication WithDashboard(ElectraStorage storage, HostParts parts, DashboardOptions dashboard)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(
            new WebApplicationOptions
            {
                ContentRootPath = AppContext.BaseDirectory,
                EnvironmentName = Environments.Production,
                ApplicationName = typeof(ElectraHost).Assembly.GetName().Name,
            }
        );
        AddCommon(builder.Services, storage, parts);
        builder.Services.AddElectraDashboard(dashboard);
        return builder.Build().UseElectraDashboard();
    }

    private static IHost WithoutDashboard(ElectraStorage storage, HostParts parts)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        AddCommon(builder.Services, storage, parts);
        return builder.Build();
    }

    private static void AddCommon(IServiceCollection services, ElectraStorage storage, HostParts parts)
    {
        services.AddElectraLogging(storage.DataFolder, parts.LogToConsole);
        services.AddSingleton<IHostLifetime, PassiveLifetime>();
        services.AddSingleton(storage.Database);
        if (parts.Worker is not { } worker)
        {
            services.AddElectraClient(storage);
            return;
        }

        services.AddElectraWorker(storage, worker);
        services.Configure<HostOptions>(options => options.ShutdownTimeout = worker.ShutdownGrace + TimeSpan.FromSeconds(10));
    }
}
