using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using Hangfire;
using Hangfire.States;

namespace ElectraPipeline.Chaos.Faults;

/// <summary>Hangfire hands a stage out twice.</summary>
internal sealed class NudgeDoubled : IFault
{
    public string Name => "duplicate Hangfire job";

    public int Weight => 3;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        if (dice.OneOf(await world.UnfinishedStagesAsync()) is not { } stage)
        {
            return false;
        }

        world.Hangfire.Create<Jobs.StageJob>(job => job.Run(stage.Id, CancellationToken.None), new EnqueuedState(stage.Queue));
        return true;
    }
}

/// <summary>Somebody deletes a job in the Hangfire dashboard.</summary>
internal sealed class HangfireJobDeleted : IFault
{
    public string Name => "Hangfire job deleted";

    public int Weight => 2;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        StageRow? stage = dice.OneOf([
            .. (await world.UnfinishedStagesAsync()).Where(s =>
                s is { HangfireJobId: not null, State: StageState.Ready or StageState.Running }
            ),
        ]);
        return stage is not null && world.Hangfire.Delete(stage.HangfireJobId);
    }
}

/// <summary>Somebody requeues a job in the Hangfire dashboard, also one that has ended.</summary>
internal sealed class HangfireJobRequeued : IFault
{
    public string Name => "Hangfire job requeued";

    public int Weight => 2;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        StageRow? stage = dice.OneOf([.. (await world.StagesAsync()).Where(s => s.HangfireJobId is not null)]);
        return stage is not null && world.Hangfire.Requeue(stage.HangfireJobId);
    }
}
