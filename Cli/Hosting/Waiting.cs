namespace ElectraPipeline.Cli.Hosting;

/// <summary>For commands that stay.</summary>
internal static class Waiting
{
    /// <summary>Returns at Ctrl+C or SIGTERM, which for such a command is the orderly end.</summary>
    public static async Task UntilStoppedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The end that was waited for.
        }
    }
}
