using Dapper;
using Npgsql;

namespace ElectraPipeline.Storage.Accounts;

/// <summary>Who may log in to the dashboard.</summary>
/// <param name="Name">Lower-case name, which actions are recorded under.</param>
/// <param name="Role">"viewer" looks, "operator" also retries, cancels and switches.</param>
/// <param name="PasswordHash">Salted hash of the password.</param>
/// <param name="CreatedAt">When it was made or last changed.</param>
public sealed record Account(string Name, string Role, string PasswordHash, DateTimeOffset CreatedAt);

/// <summary>Accounts of the dashboard.</summary>
public sealed class AccountStore(NpgsqlDataSource dataSource)
{
    /// <summary>Makes an account, or changes its role and password.</summary>
    /// <exception cref="StorageException">The name has other characters than a-z, 0-9, '.', '_', '-', or more than 40.</exception>
    public async Task SaveAsync(string name, string role, string passwordHash, string actor, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        try
        {
            await transaction.ExecuteAsync(
                """
                insert into account (name, role, password_hash) values (@name, @role, @passwordHash)
                on conflict (name) do update
                    set role = excluded.role, password_hash = excluded.password_hash, created_at = clock_timestamp()
                """,
                new
                {
                    name,
                    role,
                    passwordHash,
                }
            );
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation)
        {
            throw new StorageException(
                $"'{name}' ({role}) is no account: names have a-z, 0-9, '.', '_' and '-', 40 at most, and begin with a letter or "
                    + "digit; roles are viewer and operator",
                e
            );
        }

        await transaction.AddEventAsync(null, null, actor, "account saved", $"{name} ({role})");
        await transaction.CommitAsync();
    }

    /// <summary>Removes an account, whose logins end at once; false: there is none of this name.</summary>
    public async Task<bool> RemoveAsync(string name, string actor, CancellationToken cancellationToken = default)
    {
        await using var transaction = await StorageTransaction.BeginAsync(dataSource, cancellationToken);
        bool found = await transaction.ExecuteAsync("delete from account where name = @name", new { name }) > 0;
        if (found)
        {
            await transaction.AddEventAsync(null, null, actor, "account removed", name);
            await transaction.CommitAsync();
        }

        return found;
    }

    /// <summary>All accounts by name.</summary>
    public async Task<IReadOnlyList<Account>> ListAsync(CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return (
            await connection.QueryAsync<Account>(
                new CommandDefinition(
                    "select name, role, password_hash, created_at from account order by name",
                    cancellationToken: cancellationToken
                )
            )
        ).AsList();
    }

    /// <summary>An account; null if there is none of this name.</summary>
    public async Task<Account?> FindAsync(string name, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        return await connection.QuerySingleOrDefaultAsync<Account>(
            new CommandDefinition(
                "select name, role, password_hash, created_at from account where name = @name",
                new { name },
                cancellationToken: cancellationToken
            )
        );
    }
}
