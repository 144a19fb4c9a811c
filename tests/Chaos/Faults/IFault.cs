namespace ElectraPipeline.Chaos.Faults;

/// <summary>One kind of thing that goes wrong. To add one: a class here and a line in <see cref="FaultKinds"/>.</summary>
internal interface IFault
{
    /// <summary>Its row in the table.</summary>
    string Name { get; }

    /// <summary>How often it is chosen, relative to the others.</summary>
    int Weight { get; }

    /// <summary>Strikes, and undoes itself later where it lasts; false: there was nothing to strike.</summary>
    Task<bool> StrikeAsync(World world, Dice dice);
}

/// <summary>Every kind.</summary>
internal static class FaultKinds
{
    public static IReadOnlyList<IFault> All { get; } =
    [
        new WorkerSignalled("worker killed (SIGKILL)", Signals.Kill, weight: 5),
        new ChildKilled(),
        new WorkerFrozen(),
        new WorkerSignalled("worker terminated (SIGTERM)", Signals.Terminate, weight: 3),
        new ClockStepped(),
        new ConnectionsCut(),
        new DatabaseKilled(),
        new DatabaseAway(),
        new DiskFilled(),
        new NudgeDoubled(),
        new HangfireJobDeleted(),
        new HangfireJobRequeued(),
        new RunPaused(),
        new QueuePaused(),
        new WorkerPaused(),
        new RunCancelledAndRetried(),
    ];
}
