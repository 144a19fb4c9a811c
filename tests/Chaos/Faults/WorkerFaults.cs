namespace ElectraPipeline.Chaos.Faults;

/// <summary>
/// A signal to a worker: SIGKILL, which takes its training child with it, or SIGTERM, the orderly end, at a moment nobody chose.
/// </summary>
internal sealed class WorkerSignalled(string name, int signal, int weight) : IFault
{
    public string Name => name;

    public int Weight => weight;

    public Task<bool> StrikeAsync(World world, Dice dice)
    {
        WorkerProcess? worker = dice.OneOf(world.RunningWorkers);
        worker?.Signal(signal);
        return Task.FromResult(worker is not null);
    }
}

/// <summary>kill -9 of a training child alone, as the kernel does when memory runs out.</summary>
internal sealed class ChildKilled : IFault
{
    public string Name => "training child killed";

    public int Weight => 5;

    public Task<bool> StrikeAsync(World world, Dice dice)
    {
        int[] children = [.. world.RunningWorkers.SelectMany(worker => worker.Children())];
        if (children.Length == 0)
        {
            return Task.FromResult(false);
        }

        Signals.Send(children[dice.Next(children.Length)], Signals.Kill);
        return Task.FromResult(true);
    }
}

/// <summary>A worker that stands still for longer than its lease and then goes on, believing that it still owns its stages.</summary>
internal sealed class WorkerFrozen : IFault
{
    public string Name => "worker frozen beyond its lease";

    public int Weight => 4;

    public Task<bool> StrikeAsync(World world, Dice dice)
    {
        if (dice.OneOf(world.RunningWorkers) is not { } worker)
        {
            return Task.FromResult(false);
        }

        worker.Signal(Signals.Stop);
        world.Later(dice.Between(World.Lease * 1.2, World.Lease * 2), () => worker.Signal(Signals.Continue));
        return Task.FromResult(true);
    }
}

/// <summary>The wall clock of one worker jumps by hours, there and back.</summary>
internal sealed class ClockStepped : IFault
{
    private static readonly string[] Steps = ["+0", "+7200", "-7200", "+86400"];

    public string Name => "clock of a worker stepped";

    public int Weight => 2;

    public Task<bool> StrikeAsync(World world, Dice dice) => Task.FromResult(world.StepClock(dice.OneOf(Steps)!));
}
