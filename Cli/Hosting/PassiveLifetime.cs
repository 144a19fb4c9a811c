using Microsoft.Extensions.Hosting;

namespace ElectraPipeline.Cli.Hosting;

/// <summary>The command line listens for Ctrl+C and SIGTERM; the host only starts and stops when it is told.</summary>
internal sealed class PassiveLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
