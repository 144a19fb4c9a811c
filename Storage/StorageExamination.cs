using Dapper;
using ElectraPipeline.Storage.Artifacts;
using Npgsql;

namespace ElectraPipeline.Storage;

/// <summary>How bad a finding is.</summary>
public enum Severity
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>Works, but not as it should.</summary>
    Warning,

    /// <summary>Something is lost, or will be.</summary>
    Fault,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Subject">What: "free space".</param>
/// <param name="Severity">How it is.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Remedy">What to do; null where all is good.</param>
public sealed record Finding(string Subject, Severity Severity, string Detail, string? Remedy = null);

/// <summary>Examines a data folder and its database.</summary>
/// <param name="storage">What to examine.</param>
/// <param name="clock">This host's clock.</param>
public sealed class StorageExamination(ElectraStorage storage, TimeProvider clock)
{
    private const long LeastFreeBytes = 256L << 20;
    private const long FewFreeBytes = 5L << 30;
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    /// <summary>Looks at all; <paramref name="deep"/> reads every sealed folder, else those that registered versions need.</summary>
    public async IAsyncEnumerable<Finding> ExamineAsync(
        bool deep,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        yield return FreeSpace();
        yield return Writing();
        await using NpgsqlConnection connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
        yield return await ServerAsync(connection, cancellationToken);
        yield return await DurabilityAsync(connection);
        yield return await ClockAsync(connection);
        yield return await WorkersAsync(connection);
        var (sealedFolders, canLook) = await MissingArtifactsAsync(connection);
        yield return sealedFolders;
        yield return Strangers();
        if (canLook)
        {
            yield return await DamagedArtifactsAsync(connection, deep, cancellationToken);
        }
    }

    // Older schemas were brought up to date when the storage was opened, newer ones refused.
    private async Task<Finding> ServerAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        new(
            "PostgreSQL",
            Severity.Good,
            $"version {connection.PostgreSqlVersion}, schema {await storage.Queries.SchemaVersionAsync(cancellationToken)}, this program's"
        );

    private Finding FreeSpace()
    {
        const string Subject = "free space";
        var drive = new DriveInfo(storage.DataFolder);
        string detail = $"{drive.AvailableFreeSpace >> 20:#,0} MiB of {drive.TotalSize >> 20:#,0} MiB free for {storage.DataFolder}";
        return drive.AvailableFreeSpace switch
        {
            < LeastFreeBytes => new(Subject, Severity.Fault, detail, "free some space, or remove what nothing needs: electra gc"),
            < FewFreeBytes => new(Subject, Severity.Warning, detail, "see what could go: electra gc --dry-run --checkpoints 14"),
            _ => new(Subject, Severity.Good, detail),
        };
    }

    private Finding Writing()
    {
        const string Subject = "writing";
        string? folder = null;
        try
        {
            folder = storage.Artifacts.CreateWorkFolder("doctor");
            string file = Path.Combine(folder, "probe");
            File.WriteAllText(file, "probe");
            File.Move(file, file + ".renamed");
            NativeFile.SyncFolder(folder);
            storage.Artifacts.Probe();
            return new(Subject, Severity.Good, $"files are written, renamed and synced; sealed folders are in {storage.Artifacts.Place}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(Subject, Severity.Fault, e.Message, $"let this user write in {storage.DataFolder}");
        }
        catch (StorageException e)
        {
            return new(Subject, Severity.Fault, e.Message, "let these credentials write, read, list and delete objects there");
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<Finding> DurabilityAsync(NpgsqlConnection connection)
    {
        const string Subject = "PostgreSQL settings";
        var wrong = (
            await connection.QueryAsync<string>(
                """
                select name || ' = ' || setting from pg_settings
                where name in ('fsync', 'full_page_writes') and setting <> 'on' or name = 'synchronous_commit' and setting = 'off'
                order by name
                """
            )
        ).AsList();
        if (wrong.Count > 0)
        {
            return new(
                Subject,
                Severity.Fault,
                string.Join(", ", wrong),
                "turn them on in postgresql.conf: as it is, a power cut loses what was published"
            );
        }

        string? checksums = await connection.ExecuteScalarAsync<string>("select setting from pg_settings where name = 'data_checksums'");
        return checksums == "on"
            ? new(Subject, Severity.Good, "commits are durable, pages have checksums")
            : new(
                Subject,
                Severity.Warning,
                "commits are durable, but pages have no checksums",
                "stop the server and run pg_checksums --enable"
            );
    }

    private async Task<Finding> ClockAsync(NpgsqlConnection connection)
    {
        const string Subject = "clocks";
        var theirs = await connection.ExecuteScalarAsync<DateTime>("select clock_timestamp()");
        TimeSpan apart = (clock.GetUtcNow().UtcDateTime - theirs.ToUniversalTime()).Duration();
        string detail = $"this host and the database are {apart.TotalSeconds:0.0} s apart";
        return apart <= ClockTolerance
            ? new(Subject, Severity.Good, detail)
            : new(
                Subject,
                Severity.Warning,
                detail,
                "synchronise the clocks (chrony): leases hold all the same, but times in tables mislead"
            );
    }

    private static async Task<Finding> WorkersAsync(NpgsqlConnection connection)
    {
        const string Subject = "work";
        var (alive, ready, dead) = await connection.QuerySingleAsync<(long Alive, long Ready, long Dead)>(
            """
            select (select count(*) from worker where seen_at > clock_timestamp() - interval '30 seconds'),
                (select count(*) from stage_run where state = 'ready' and available_at < clock_timestamp() - interval '1 minute'),
                (select count(*) from stage_run where state = 'running' and lease_until < clock_timestamp() - interval '1 minute')
            """
        );
        string detail = $"{alive} workers alive, {ready} stages ready and {dead} leases run out for more than a minute";
        return (alive, ready, dead) switch
        {
            (0, 0, 0) => new(Subject, Severity.Good, detail),
            (0, _, _) => new(Subject, Severity.Warning, detail, "start a worker, which goes on where the last one stopped: electra up"),
            (_, _, > 0) => new(
                Subject,
                Severity.Warning,
                detail,
                "workers that live should have taken these over within a second; restart them and read their logs"
            ),
            _ => new(Subject, Severity.Good, detail),
        };
    }

    private async Task<(Finding Finding, bool CanLook)> MissingArtifactsAsync(NpgsqlConnection connection)
    {
        const string Subject = "sealed folders";
        var known = (await connection.QueryAsync<string>("select digest from artifact order by digest")).AsList();
        IReadOnlyList<string> missing;
        try
        {
            missing = storage.Artifacts.Missing(known);
        }
        catch (StorageException e)
        {
            return (
                new(Subject, Severity.Fault, e.Message, "mend that, then look again: nothing can be said of the sealed folders"),
                false
            );
        }

        return (
            missing.Count == 0
                ? new(Subject, Severity.Good, $"all {known.Count} are there")
                : new(
                    Subject,
                    Severity.Fault,
                    $"{missing.Count} of {known.Count} are missing, the first {missing[0]} of {storage.Artifacts.Place}",
                    "copy objects/ back from a backup, or run the configs again: what is missing is made again"
                ),
            true
        );
    }

    private async Task<Finding> DamagedArtifactsAsync(NpgsqlConnection connection, bool deep, CancellationToken cancellationToken)
    {
        string subject = deep ? "contents of all" : "contents of versions";
        string which = deep ? "true" : ArtifactRows.IsOfVersion("a.digest");
        var digests = (await connection.QueryAsync<string>($"select digest from artifact a where {which} order by digest")).AsList();
        var damaged = new List<string>();
        foreach (string digest in digests)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (FaultOf(digest) is { } fault)
            {
                damaged.Add(fault);
            }
        }

        return damaged.Count == 0
            ? new(subject, Severity.Good, $"{digests.Count} sealed folders match their digests")
            : new(
                subject,
                Severity.Fault,
                $"{damaged.Count} of {digests.Count} are damaged: {damaged[0]}",
                "remove the damaged folder and copy it back from a backup, or run its config again"
            );
    }

    // Missing folders are a finding of their own. What cannot be read is damaged; the others are to be looked at all the same.
    private string? FaultOf(string digest)
    {
        try
        {
            return storage.Artifacts.Contains(digest) ? storage.Artifacts.Verify(digest) : null;
        }
        catch (Exception e) when (e is StorageException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private Finding Strangers()
    {
        const string Subject = "what is not ours";
        IReadOnlyList<string> strangers = storage.Artifacts.Strangers();
        return strangers.Count == 0
            ? new(Subject, Severity.Good, "nothing but sealed folders in objects/")
            : new(
                Subject,
                Severity.Warning,
                $"in objects/ lie {strangers.Count} that this program did not write, the first {strangers[0]}",
                "look at them and move them away: nothing reads or removes them"
            );
    }
}
