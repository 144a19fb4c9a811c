namespace ElectraPipeline.Chaos.Faults;

/// <summary>The disk of the artifacts is full for a few seconds.</summary>
internal sealed class DiskFilled : IFault
{
    public string Name => "disk full";

    public int Weight => 2;

    public Task<bool> StrikeAsync(World world, Dice dice)
    {
        if (world.FillDisk() is not { } ballast)
        {
            return Task.FromResult(false);
        }

        world.Later(dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)), () => File.Delete(ballast));
        return Task.FromResult(true);
    }
}
