namespace ElectraPipeline.Jobs;

/// <summary>Who holds the leases of this process: HOST:PID:START, so that a process after a reboot is another one.</summary>
public sealed class WorkerIdentity
{
    /// <summary>Name of this host.</summary>
    public string Host { get; } = Environment.MachineName;

    /// <summary>Unique among all processes of all hosts.</summary>
    public string Id { get; } = $"{Environment.MachineName}:{Environment.ProcessId}:{Environment.TickCount64:x}";
}
