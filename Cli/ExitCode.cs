namespace ElectraPipeline.Cli;

/// <summary>What the process says to the script that called it.</summary>
internal static class ExitCode
{
    /// <summary>Done; with --watch: the run succeeded.</summary>
    public const int Done = 0;

    /// <summary>The run failed or was cancelled, or something unforeseen happened.</summary>
    public const int Failed = 1;

    /// <summary>Wrong use: unknown option, bad config, missing file, no such run, no database to be had.</summary>
    public const int WrongUse = 2;

    /// <summary>Stopped by Ctrl+C or SIGTERM (128 + SIGINT, as shells count).</summary>
    public const int Interrupted = 130;
}
