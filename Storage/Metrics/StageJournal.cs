using Dapper;
using ElectraPipeline.Storage.Runs;
using Npgsql;

namespace ElectraPipeline.Storage.Metrics;

/// <summary>A point of a curve.</summary>
public readonly record struct MetricValue(string Name, long Step, double Value);

/// <summary>Curves and log lines of stage runs, written in batches and only while the lease holds.</summary>
public sealed class StageJournal(NpgsqlDataSource dataSource)
{
    /// <summary>
    /// Stores points and lines. A point that is there already is replaced: an attempt that goes on from a checkpoint repeats some steps.
    /// False: the lease was lost, and nothing was stored.
    /// </summary>
    public async Task<bool> AppendAsync(
        StageLease lease,
        IReadOnlyCollection<MetricValue> metrics,
        IReadOnlyCollection<string> lines,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        bool held = await transaction.ScalarAsync<bool>(
            """
            select exists (select 1 from stage_run where id = @StageRunId and lease_epoch = @Epoch and state = 'running' for key share)
            """,
            new { lease.StageRunId, lease.Epoch }
        );
        if (!held)
        {
            return false;
        }

        // One statement cannot change a row twice, so only the last value of each point goes in.
        var points = metrics.GroupBy(metric => (metric.Name, metric.Step)).Select(group => group.Last()).ToList();
        await transaction.ExecuteAsync(
            """
            insert into metric (stage_run_id, name, step, value)
            select @StageRunId, * from unnest(@names, @steps, @values)
            on conflict (stage_run_id, name, step) do update set value = excluded.value, recorded_at = clock_timestamp();
            insert into stage_log (stage_run_id, attempt, line)
            select @StageRunId, @Attempt, u.line from unnest(@lines) with ordinality as u (line, n) order by u.n;
            """,
            new
            {
                lease.StageRunId,
                lease.Attempt,
                names = points.Select(point => point.Name).ToArray(),
                steps = points.Select(point => point.Step).ToArray(),
                values = points.Select(point => point.Value).ToArray(),
                lines = lines.ToArray(),
            }
        );
        await transaction.CommitAsync();
        return true;
    }

    /// <summary>The newest value of each curve of a stage run, by name.</summary>
    public async Task<IReadOnlyDictionary<string, double>> NewestAsync(long stageRunId, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var rows = await connection.QueryAsync<(string Name, double Value)>(
            new CommandDefinition(
                "select distinct on (name) name, value from metric where stage_run_id = @stageRunId order by name, step desc",
                new { stageRunId },
                cancellationToken: cancellationToken
            )
        );
        return rows.ToDictionary(row => row.Name, row => row.Value);
    }
}
