using Dapper;

namespace ElectraPipeline.Chaos.Faults;

/// <summary>All connections are cut at once, wherever their transactions stand.</summary>
internal sealed class ConnectionsCut : IFault
{
    public string Name => "all connections cut";

    public int Weight => 3;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        await using var connection = await world.Storage.Database.DataSource.OpenConnectionAsync();
        await connection.ExecuteAsync(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        );
        return true;
    }
}

/// <summary>PostgreSQL stops without a checkpoint and is started again at once.</summary>
internal sealed class DatabaseKilled : IFault
{
    public string Name => "PostgreSQL stopped (immediate)";

    public int Weight => 2;

    public Task<bool> StrikeAsync(World world, Dice dice) => Task.FromResult(world.StopDatabase());
}

/// <summary>PostgreSQL is away for longer than a lease: every worker must stop what it does.</summary>
internal sealed class DatabaseAway : IFault
{
    public string Name => "PostgreSQL away beyond a lease";

    public int Weight => 1;

    public async Task<bool> StrikeAsync(World world, Dice dice)
    {
        FileStream? gate = world.TryHoldDatabaseDown();
        if (gate is null || !world.StopDatabase())
        {
            gate?.Dispose();
            return false;
        }

        await Task.Delay(dice.Between(World.Lease * 1.2, World.Lease * 1.8));
        await gate.DisposeAsync();
        return true;
    }
}
