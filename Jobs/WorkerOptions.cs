using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs;

/// <summary>Settings of a worker process.</summary>
public sealed record WorkerOptions
{
    /// <summary>Queues it serves.</summary>
    public IReadOnlyList<string> Queues { get; init; } = ["cpu"];

    /// <summary>Stages at once; training stages take turns on a host all the same.</summary>
    public int Concurrency { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>How long a lease holds without a heartbeat; a dead worker's stage is taken over after it.</summary>
    public TimeSpan LeaseTtl { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How often the relay looks for what was forgotten.</summary>
    public TimeSpan RelayInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After how long a ready stage that nobody claimed is enqueued again: a lost nudge waits no longer than a dead worker's stage.
    /// </summary>
    public TimeSpan RequeueAfter => LeaseTtl * 0.75;

    /// <summary>How long a stage may take to stop at a shutdown; a training child writes a checkpoint in it.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Wait before the second attempt where a run's limits say nothing; doubled for each more, up to ten minutes.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Least wait of a stage whose disk took no files.</summary>
    public TimeSpan DiskPause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Trainings at once on this host.</summary>
    public int TrainingSlots { get; init; } = 1;

    /// <summary>GB of memory of this host for stages that say what they take, at least 1.</summary>
    public int MemoryGb { get; init; } = (int)Math.Max(1, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30);

    /// <summary>Where files that configs name may be read from.</summary>
    public InputFolders InputFolders { get; init; } = InputFolders.OfEnvironment();

    /// <summary>Executable and first arguments that start this program for a child: ["dotnet", "electra.dll"] or ["electra"].</summary>
    public IReadOnlyList<string> Program { get; init; } = ThisProgram();

    private static string[] ThisProgram()
    {
        string process = Environment.ProcessPath ?? throw new PlatformNotSupportedException("the path of this program is unknown");
        string? entry = System.Reflection.Assembly.GetEntryAssembly()?.Location;
        return Path.GetFileNameWithoutExtension(process) == "dotnet" && entry is { Length: > 0 } ? [process, entry] : [process];
    }
}
