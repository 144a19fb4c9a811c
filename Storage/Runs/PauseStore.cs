using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.Runs;

/// <summary>What a pause holds back.</summary>
public enum PauseScope
{
    /// <summary>The stages of one run.</summary>
    Run,

    /// <summary>The stages of a queue, of all runs.</summary>
    Queue,

    /// <summary>What one worker process could claim.</summary>
    Worker,

    /// <summary>What any worker of a host could claim; it outlasts their restarts.</summary>
    Host,
}

/// <summary>
/// Pauses: while one stands, what it covers is not claimed. Stages at work go on to their ends, or are given back at once, training with a
/// checkpoint; no attempt is counted. Each method is one transaction and may be repeated.
/// </summary>
public sealed class PauseStore(NpgsqlDataSource dataSource)
{
    /// <summary>
    /// Pauses; false: it was paused like this before. Asked again with <paramref name="interrupts"/>, a mild pause becomes a strict one.
    /// </summary>
    /// <param name="scope">What kind of thing.</param>
    /// <param name="subject">Id of a run, name of a queue, id of a worker ("HOST:PID:START"), or name of a host.</param>
    /// <param name="interrupts">Whether stages at work are given back now.</param>
    /// <param name="actor">Who, for the events.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="StorageException">There is no such run, worker or host, or the run is at its end.</exception>
    public async Task<bool> PauseAsync(
        PauseScope scope,
        string subject,
        bool interrupts,
        string actor,
        CancellationToken cancellationToken = default
    )
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        await CheckAsync(transaction, scope, subject);
        int changed = await transaction.ExecuteAsync(
            """
            insert into pause (scope, subject, interrupts, actor) values (@scope, @subject, @interrupts, @actor)
            on conflict (scope, subject) do update set interrupts = true, actor = excluded.actor
            where excluded.interrupts and not pause.interrupts
            """,
            new
            {
                scope = Word(scope),
                subject,
                interrupts,
                actor,
            }
        );
        if (changed > 0)
        {
            string detail = interrupts ? "stages at work are given back" : "stages at work go on to their ends";
            await AddEventAsync(transaction, scope, subject, actor, "paused", detail);
            await transaction.CommitAsync();
        }

        return changed > 0;
    }

    /// <summary>Lifts a pause; false: there was none.</summary>
    public async Task<bool> ResumeAsync(PauseScope scope, string subject, string actor, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        int lifted = await transaction.ExecuteAsync(
            "delete from pause where scope = @scope and subject = @subject",
            new { scope = Word(scope), subject }
        );
        if (lifted > 0)
        {
            // They were not nudged while paused: to the relay they now are forgotten ones, which it enqueues within a second.
            await transaction.ExecuteAsync(
                """
                update stage_run s set enqueued_at = null from (
                    select id from stage_run
                    where state = 'ready' and (@scope = 'queue' and queue = @subject or @scope = 'run' and run_id::text = @subject)
                    order by id for no key update) held
                where s.id = held.id
                """,
                new { scope = Word(scope), subject }
            );
            await AddEventAsync(transaction, scope, subject, actor, "resumed", null);
            await transaction.CommitAsync();
        }

        return lifted > 0;
    }

    /// <summary>Whether a worker may claim nothing, because it or its host is paused.</summary>
    public async Task<bool> IsWorkerPausedAsync(string worker, string host, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.ExecuteScalarAsync<bool>(
            new CommandDefinition(
                "select exists (select 1 from pause where (scope, subject) in (('worker', @worker), ('host', @host)))",
                new { worker, host },
                cancellationToken: cancellationToken
            )
        );
    }

    /// <summary>The name of a scope in the database and on the command line.</summary>
    public static string Word(PauseScope scope) => scope.ToString().ToLowerInvariant();

    private static async Task CheckAsync(StorageTransaction transaction, PauseScope scope, string subject)
    {
        switch (scope)
        {
            case PauseScope.Run:
                string? state = await transaction.ScalarAsync<string?>(
                    "select state::text from run where id::text = @subject for key share",
                    new { subject }
                );
                if (state != "running")
                {
                    throw new StorageException(
                        state is null ? $"there is no run {subject}" : $"run {subject} is {state}; only a run that goes on can be paused"
                    );
                }

                break;
            case PauseScope.Worker or PauseScope.Host:
                string[] known =
                [
                    .. await transaction.QueryAsync<string>(
                        $"select distinct {(scope == PauseScope.Worker ? "id" : "host")} from worker order by 1"
                    ),
                ];
                if (!known.Contains(subject))
                {
                    string list = known.Length == 0 ? "none was seen" : $"seen: {string.Join(", ", known)}";
                    throw new StorageException($"there is no {Word(scope)} {subject}; {list}");
                }

                break;
        }
    }

    private static Task AddEventAsync(
        StorageTransaction transaction,
        PauseScope scope,
        string subject,
        string actor,
        string action,
        string? detail
    ) =>
        scope == PauseScope.Run
            ? transaction.AddEventAsync(long.Parse(subject), null, actor, action, detail)
            : transaction.AddEventAsync(null, null, actor, action, $"{Word(scope)} {subject}{(detail is null ? "" : $": {detail}")}");
}
