using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>The worker processes and their signs of life.</summary>
public sealed class WorkerStore(NpgsqlDataSource dataSource)
{
    /// <summary>Registers a worker or renews its sign of life; forgets workers unseen for a week.</summary>
    public async Task SeenAsync(
        string id,
        string host,
        IReadOnlyList<string> queues,
        string codeVersion,
        CancellationToken cancellationToken = default
    )
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            new CommandDefinition(
                """
                insert into worker (id, host, queues, code_version) values (@id, @host, @queues, @codeVersion)
                on conflict (id) do update set seen_at = clock_timestamp();
                delete from worker where seen_at < clock_timestamp() - interval '7 days';
                """,
                new
                {
                    id,
                    host,
                    queues = queues.ToArray(),
                    codeVersion,
                },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>Removes a worker that shut down.</summary>
    public async Task GoneAsync(string id, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            new CommandDefinition("delete from worker where id = @id", new { id }, cancellationToken: cancellationToken)
        );
    }
}
