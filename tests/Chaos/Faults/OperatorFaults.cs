using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Chaos.Faults;

/// <summary>Two people pause a run at the same moment, and two resume it a while later.</summary>
internal sealed class RunPaused : IFault
{
    public string Name => "run paused and resumed, twice at once";

    public int Weight => 3;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        RunSummary? run = dice.OneOf(await world.RunningRunsAsync());
        return run is not null && await world.PauseAsync(PauseScope.Run, $"{run.Id}", dice);
    }
}

/// <summary>A queue stands still for a while.</summary>
internal sealed class QueuePaused : IFault
{
    public string Name => "queue paused and resumed, twice at once";

    public int Weight => 1;

    public Task<bool> StrikeAsync(World world, Dice dice) => world.PauseAsync(PauseScope.Queue, "cpu", dice);
}

/// <summary>A worker is told to leave its stages to others.</summary>
internal sealed class WorkerPaused : IFault
{
    public string Name => "worker paused and resumed, twice at once";

    public int Weight => 2;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        WorkerRow? worker = dice.OneOf([.. await world.Storage.Queries.WorkersAsync()]);
        return worker is not null && await world.PauseAsync(PauseScope.Worker, worker.Id, dice);
    }
}

/// <summary>Two people cancel a run and retry it at the same moment.</summary>
internal sealed class RunCancelledAndRetried : IFault
{
    public string Name => "run cancelled and retried, twice at once";

    public int Weight => 2;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        RunSummary? run = dice.OneOf(await world.RunningRunsAsync());
        return run is not null && await world.CancelAndRetryAsync(run.Id);
    }
}
