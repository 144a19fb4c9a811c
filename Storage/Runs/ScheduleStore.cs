using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>The table of schedules, the truth about them.</summary>
public sealed class ScheduleStore(NpgsqlDataSource dataSource)
{
    /// <summary>Makes a schedule, or replaces the one of this name.</summary>
    public async Task SaveAsync(
        string name,
        string cron,
        string timeZone,
        string config,
        bool enabled,
        string actor,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await transaction.ExecuteAsync(
            """
            insert into schedule (name, cron, time_zone, config, enabled) values (@name, @cron, @timeZone, @config::jsonb, @enabled)
            on conflict (name) do update set cron = excluded.cron, time_zone = excluded.time_zone, config = excluded.config,
                enabled = excluded.enabled
            """,
            new
            {
                name,
                cron,
                timeZone,
                config,
                enabled,
            }
        );
        await transaction.AddEventAsync(null, null, actor, "schedule saved", $"{name}: {cron} ({timeZone})");
        await transaction.CommitAsync();
    }

    /// <summary>Turns a schedule on or off; false: there is none of this name.</summary>
    public Task<bool> SetEnabledAsync(string name, bool enabled, string actor, CancellationToken cancellationToken = default) =>
        ChangeAsync(
            "update schedule set enabled = @enabled where name = @name",
            name,
            enabled,
            actor,
            enabled ? "schedule on" : "schedule off",
            cancellationToken
        );

    /// <summary>Removes a schedule, not its runs; false: there is none of this name.</summary>
    public Task<bool> DeleteAsync(string name, string actor, CancellationToken cancellationToken = default) =>
        ChangeAsync("delete from schedule where name = @name", name, false, actor, "schedule deleted", cancellationToken);

    private async Task<bool> ChangeAsync(
        string sql,
        string name,
        bool enabled,
        string actor,
        string action,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        if (await transaction.ExecuteAsync(sql, new { name, enabled }) == 0)
        {
            return false;
        }

        await transaction.AddEventAsync(null, null, actor, action, name);
        await transaction.CommitAsync();
        return true;
    }
}
