using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>
/// Places on a resource of which a host has few. A slot is leased with the stage run and renewed by the same heartbeat, so a dead
/// worker cannot hold one.
/// </summary>
internal static class ResourceSlots
{
    private const string FreePlaces = "name = @Name and ordinal < @Capacity and (holder is null or until < clock_timestamp())";

    /// <summary>Takes what the slot says; false if less of it is free. What was taken then goes with the transaction.</summary>
    public static async Task<bool> TakeAsync(StorageTransaction transaction, ResourceSlot slot, StageLease lease, TimeSpan ttl)
    {
        var parameters = new
        {
            slot.Name,
            slot.Capacity,
            slot.Amount,
            lease.StageRunId,
            lease.Epoch,
            ttl,
        };
        await transaction.ExecuteAsync(
            """
            insert into resource_slot (name, ordinal) select @Name, n from generate_series(0, @Capacity - 1) n
            where (select count(*) from resource_slot where name = @Name) < @Capacity on conflict do nothing
            """,
            parameters
        );
        return await transaction.ExecuteAsync(
                $"""
                update resource_slot set holder = @StageRunId, epoch = @Epoch, until = clock_timestamp() + @ttl
                where (name, ordinal) in (
                    select name, ordinal from resource_slot
                    where {FreePlaces}
                    order by ordinal limit @Amount for update skip locked)
                """,
                parameters
            ) == slot.Amount;
    }

    /// <summary>Frees what the lease holds, and returns the names of it.</summary>
    public static async Task<string[]> FreeAsync(StorageTransaction transaction, StageLease lease) =>
        [
            .. await transaction.QueryAsync<string>(
                "update resource_slot set holder = null, until = '-infinity' where holder = @StageRunId and epoch = @Epoch returning name",
                new { lease.StageRunId, lease.Epoch }
            ),
        ];

    /// <summary>Whether as much is free as the slot says, by what is committed.</summary>
    public static Task<bool> IsFreeAsync(NpgsqlConnection connection, ResourceSlot slot, CancellationToken cancellationToken) =>
        connection.ExecuteScalarAsync<bool>(
            new CommandDefinition(
                $"select count(*) >= @Amount from resource_slot where {FreePlaces}",
                slot,
                cancellationToken: cancellationToken
            )
        );
}
