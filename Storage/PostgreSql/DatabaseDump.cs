using System.Diagnostics;
using Npgsql;

namespace ElectraPipeline.Storage.PostgreSql;

/// <summary>
/// Dumps and loads the schema "electra" with PostgreSQL's own programs. Hangfire's schema is not kept: the relay nudges anew.
/// </summary>
internal static class DatabaseDump
{
    /// <summary>Writes a dump, as the database stands at one moment.</summary>
    /// <exception cref="StorageException">pg_dump is missing or fails, for example because the server is newer than it.</exception>
    public static Task WriteAsync(string connectionString, string file, CancellationToken cancellationToken) =>
        RunAsync(
            "pg_dump",
            connectionString,
            ["--format=custom", "--schema=electra", "--no-owner", "--no-privileges", "--file", file],
            cancellationToken
        );

    /// <summary>Loads a dump into a database without the schema.</summary>
    /// <exception cref="StorageException">pg_restore is missing or fails; nothing was loaded.</exception>
    public static Task LoadAsync(string connectionString, string file, CancellationToken cancellationToken) =>
        RunAsync(
            "pg_restore",
            connectionString,
            ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", file],
            cancellationToken
        );

    private static async Task RunAsync(string program, string connectionString, string[] arguments, CancellationToken cancellationToken)
    {
        string path =
            PostgreSqlBinaries.FindAll().Select(binaries => binaries.PathOf(program)).FirstOrDefault(File.Exists)
            ?? throw new StorageException(
                $"{program} was not found beside PostgreSQL's server programs. Install PostgreSQL's client programs (Debian: "
                    + "postgresql-client)."
            );
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardError = true, WorkingDirectory = "/" };
        foreach ((string variable, string value) in VariablesOf(server))
        {
            start.Environment[variable] = value; // not an argument: those show in process lists
        }

        if (program == "pg_restore")
        {
            start.ArgumentList.Insert(0, $"--dbname={server.Database}");
        }

        using Process process = Process.Start(start) ?? throw new StorageException($"{path} could not be started");
        // It would go on without us, and a restore commit what nobody waits for.
        await using CancellationTokenRegistration stop = cancellationToken.Register(() => Stop(process));
        string errors = await process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        cancellationToken.ThrowIfCancellationRequested();
        if (process.ExitCode != 0)
        {
            throw new StorageException($"{path} failed with exit code {process.ExitCode}: {errors.Trim()}");
        }
    }

    // Also how the server is known and the connection kept secret: libpq would settle for less than the connection string asks for.
    private static IEnumerable<(string Variable, string Value)> VariablesOf(NpgsqlConnectionStringBuilder server) =>
        from pair in new (string Variable, string? Value)[]
        {
            ("PGHOST", server.Host),
            ("PGPORT", $"{server.Port}"),
            ("PGDATABASE", server.Database),
            ("PGUSER", server.Username),
            ("PGPASSWORD", server.Password),
            ("PGPASSFILE", server.Passfile),
            (
                "PGSSLMODE",
                server.SslMode switch
                {
                    SslMode.VerifyCA => "verify-ca",
                    SslMode.VerifyFull => "verify-full",
                    var mode => $"{mode}".ToLowerInvariant(),
                }
            ),
            ("PGSSLROOTCERT", server.RootCertificate),
            ("PGSSLCERT", server.SslCertificate),
            ("PGSSLKEY", server.SslKey),
        }
        where pair.Value is { Length: > 0 }
        select (pair.Variable, pair.Value!);

    private static void Stop(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }
}
