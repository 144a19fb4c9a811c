using System.Net.Sockets;
using Npgsql;

namespace ElectraPipeline.Storage.PostgreSql;

/// <summary>Says in one sentence why a database cannot be used and what to do, without any value that may be secret.</summary>
public static class ConnectionFault
{
    private const string Form = "Host=NAME;Port=5432;Database=electra;Username=USER";
    private const string Where = "ELECTRA_DATABASE (or --database)";

    /// <summary>The oldest PostgreSQL that is accepted: what the tests run on, and the oldest that its makers still mend.</summary>
    public const int OldestMajor = 15;

    /// <summary>Whether a connection string holds a password, so that it must not be an argument of a process.</summary>
    public static bool HoldsPassword(string connectionString)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString);
            return builder.Password is not null || builder.SslPassword is not null;
        }
        catch (Exception e) when (IsMalformed(e))
        {
            return true; // nobody can tell
        }
    }

    /// <summary>Takes a connection string apart.</summary>
    /// <exception cref="StorageException">It is malformed, or names no host.</exception>
    internal static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception e) when (IsMalformed(e))
        {
            // Neither the text nor the cause is shown or kept: a password with ';' in it may be what was misread.
            string what =
                connectionString.Contains("://", StringComparison.Ordinal) ? "is a URL"
                : e is ArgumentException { ParamName: { } name } && new NpgsqlConnectionStringBuilder().ContainsKey(name)
                    ? $"has a value for {name} that is none"
                : "is malformed";
            throw new StorageException($"the connection string {what}. Write {Where} as {Form}, values with ';' in them in double quotes.");
        }

        return string.IsNullOrEmpty(builder.Host)
            ? throw new StorageException($"the connection string names no host. Write {Where} as {Form}.")
            : builder;
    }

    /// <summary>Whether an exception means that a server cannot be reached or does not let in; those can be described.</summary>
    internal static bool Is(Exception e) => e is NpgsqlException or SocketException or TimeoutException;

    /// <summary>The sentence.</summary>
    internal static StorageException Describe(Exception e, NpgsqlConnectionStringBuilder builder)
    {
        string server = builder.Host!.StartsWith('/') ? builder.Host : $"{builder.Host}:{builder.Port}";
        string database = builder.Database ?? builder.Username ?? "";
        string what =
            e is PostgresException answer ? OfAnswer(answer, server, database, builder.Username)
            : e.Message.StartsWith("No password", StringComparison.Ordinal)
                ? $"PostgreSQL at {server} asks for a password of {builder.Username}: put it into ELECTRA_DATABASE, PGPASSWORD or ~/.pgpass"
            : $"PostgreSQL at {server} cannot be reached: {e.GetBaseException().Message.TrimEnd('.')}. "
                + $"Start it, or correct host and port in {Where}";
        return new StorageException(what + ".", e);
    }

    /// <exception cref="StorageException">The server is older than <see cref="OldestMajor"/>.</exception>
    internal static void RefuseOld(NpgsqlConnection connection)
    {
        if (connection.PostgreSqlVersion.Major < OldestMajor)
        {
            throw new StorageException(
                $"PostgreSQL at {connection.Host} is version {connection.PostgreSqlVersion}; at least {OldestMajor} is needed. "
                    + $"Upgrade it (pg_upgrade), or name another in {Where}."
            );
        }
    }

    private static string OfAnswer(PostgresException answer, string server, string database, string? user) =>
        answer.SqlState switch
        {
            PostgresErrorCodes.InvalidCatalogName =>
                $"there is no database {database} at {server}. Make it (createdb {database}), or correct its name in {Where}",
            PostgresErrorCodes.InvalidPassword =>
                $"PostgreSQL at {server} refuses the password of {user}. Put the right one into ELECTRA_DATABASE, PGPASSWORD or ~/.pgpass",
            PostgresErrorCodes.InvalidAuthorizationSpecification =>
                $"PostgreSQL at {server} does not let {user} in: {answer.MessageText}. Correct the user in {Where}, or the server's "
                    + "pg_hba.conf",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"{user} may not do that in the database {database} at {server}: {answer.MessageText}. "
                    + $"Let its owner: grant create on database {database} to {user}",
            PostgresErrorCodes.TooManyConnections =>
                $"PostgreSQL at {server} has no connection left. Raise its max_connections, or stop other programs that use it",
            PostgresErrorCodes.CannotConnectNow =>
                $"PostgreSQL at {server} is starting or stopping ({answer.MessageText}). Try again in a moment",
            _ => $"PostgreSQL at {server} answers: {answer.MessageText} ({answer.SqlState})",
        };

    private static bool IsMalformed(Exception e) =>
        e
            is ArgumentException
                or FormatException
                or InvalidOperationException
                or OverflowException
                or InvalidCastException
                or NotSupportedException;
}
