using System.Text.Json;
using Dapper;
using ElectraPipeline.Storage.Accounts;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.PostgreSql;
using Npgsql;

namespace ElectraPipeline.Storage;

/// <summary>What a backup holds; <c>backup.json</c> in its folder.</summary>
/// <param name="Format">Version of the layout.</param>
/// <param name="MadeAt">When the database was dumped.</param>
/// <param name="Artifacts">Digests of the sealed folders.</param>
public sealed record BackupManifest(int Format, DateTimeOffset MadeAt, IReadOnlyList<string> Artifacts);

/// <summary>
/// Copies of a data folder that can be used again: a dump of the database (<c>database.dump</c>) and every sealed folder that it names
/// (<c>objects/</c>), each checked against its digest.
/// </summary>
public static class Backup
{
    private const int Format = 1;
    private const string ManifestName = "backup.json";
    private const string DumpName = "database.dump";

    /// <summary>Makes a backup while workers go on; it appears under its name only when it is whole.</summary>
    /// <param name="storage">What to copy.</param>
    /// <param name="target">A folder that does not exist yet.</param>
    /// <param name="progress">Called with the number of folders copied and their total.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="StorageException">The target exists, a sealed folder is damaged, or the dump fails.</exception>
    public static async Task<BackupManifest> WriteAsync(
        ElectraStorage storage,
        string target,
        Action<int, int> progress,
        CancellationToken cancellationToken = default
    )
    {
        target = Path.GetFullPath(target);
        if (Path.Exists(target))
        {
            throw new StorageException($"{target} exists; name a folder that does not");
        }

        return await PublishAsync(
            target,
            partial =>
            {
                PrivateFolder.Make(partial); // it holds the hashes of passwords
                return FillAsync(storage, partial, progress, cancellationToken);
            }
        );
    }

    /// <summary>Puts a backup into a new data folder and its database, which must have no schema "electra" yet.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="options">Where to; the folder must be missing or empty.</param>
    /// <param name="actor">Who does it, for the audit log of what is restored: "user:NAME".</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="StorageException">The backup is damaged or newer, or the target is in use.</exception>
    public static async Task<BackupManifest> RestoreAsync(
        string source,
        StorageOptions options,
        string actor,
        CancellationToken cancellationToken = default
    )
    {
        BackupManifest manifest = await ReadManifestAsync(source, cancellationToken);
        if (!File.Exists(Path.Combine(source, DumpName)))
        {
            throw new StorageException($"{Path.Combine(source, DumpName)} is missing: {source} is no whole backup");
        }

        if (Directory.Exists(options.DataFolder) && Directory.EnumerateFileSystemEntries(options.DataFolder).Any())
        {
            throw new StorageException($"{options.DataFolder} is not empty; a backup is restored into a new data folder (--data)");
        }

        return await PublishAsync(
            Path.GetFullPath(options.DataFolder),
            partial => FillAsync(source, manifest, options with { DataFolder = partial }, actor, cancellationToken)
        );
    }

    /// <summary>Fills a folder beside <paramref name="target"/>, which is missing or empty, and renames it when it is whole.</summary>
    /// <exception cref="StorageException">Another process fills it, or it cannot be written.</exception>
    private static async Task<BackupManifest> PublishAsync(string target, Func<string, Task<BackupManifest>> fill)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            string lockFile = $"{target}.partial.lock";
            await using FileStream alone =
                FileLock.TryAcquire(lockFile)
                ?? throw new StorageException($"another process fills {target}.partial; wait for it, or name another folder");
            try
            {
                return await PublishAloneAsync(target, fill);
            }
            finally
            {
                File.Delete(lockFile);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"{target} cannot be written: {e.Message.TrimEnd('.')}. Nothing of it is left; make room or name another folder",
                e
            );
        }
    }

    private static async Task<BackupManifest> PublishAloneAsync(string target, Func<string, Task<BackupManifest>> fill)
    {
        string partial = $"{target}.partial";
        await RemoveInterruptedAsync(partial);
        Directory.CreateDirectory(partial);
        try
        {
            BackupManifest manifest = await fill(partial);
            NativeFile.SyncFolder(partial);
            if (Directory.Exists(target))
            {
                Directory.Delete(target); // empty, as was seen
            }

            Directory.Move(partial, target);
            NativeFile.SyncFolder(Path.GetDirectoryName(target)!);
            return manifest;
        }
        finally
        {
            if (Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
    }

    /// <summary>Removes what a process left that was killed, its PostgreSQL too, which outlives it.</summary>
    private static async Task RemoveInterruptedAsync(string partial)
    {
        string cluster = Path.Combine(partial, "postgresql");
        if (Directory.Exists(Path.Combine(cluster, "data")) && ClusterFolder.Open(cluster) is var left && left.ServerProcess() is not null)
        {
            await left.StopServerAsync("immediate", CancellationToken.None);
        }

        // An initdb that outlived its caller may be writing there for some seconds yet.
        for (int tries = 1; Directory.Exists(partial); tries++)
        {
            try
            {
                Directory.Delete(partial, recursive: true);
            }
            catch (IOException) when (tries < 40)
            {
                await Task.Delay(250);
            }
        }
    }

    private static async Task<BackupManifest> FillAsync(
        string source,
        BackupManifest manifest,
        StorageOptions options,
        string actor,
        CancellationToken cancellationToken
    )
    {
        string folder = DataFolder.Open(options.DataFolder);
        await using PrivateCluster? cluster = options.UsesPrivateCluster
            ? await PrivateCluster.StartAsync(Path.Combine(folder, "postgresql"), cancellationToken: cancellationToken)
            : null;
        string connectionString = cluster?.ConnectionString ?? options.DatabaseOrVariable!;
        await RefuseUsedAsync(connectionString, cancellationToken);
        ArtifactLocation? location = options.ArtifactsOrVariable;
        using var artifacts = new ArtifactStore(folder, location);
        foreach (string digest in manifest.Artifacts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            artifacts.SealCopy(Path.Combine(source, "objects", digest), digest);
        }

        await DatabaseDump.LoadAsync(connectionString, Path.GetFullPath(Path.Combine(source, DumpName)), cancellationToken);
        await using Database database = await Database.OpenAsync(connectionString, cancellationToken);
        await ArtifactLocation.RememberAsync(database.DataSource, location, cancellationToken);
        await ForgetUncopiedAsync(database, manifest, cancellationToken);
        await new AuditLog(database.DataSource).RecordAsync(
            actor,
            "restored",
            $"{Path.GetFullPath(source)}, as of {manifest.MadeAt:yyyy-MM-dd HH:mm:ss} UTC",
            cancellationToken
        );
        return manifest;
    }

    private static async Task<BackupManifest> FillAsync(
        ElectraStorage storage,
        string folder,
        Action<int, int> progress,
        CancellationToken cancellationToken
    )
    {
        DateTimeOffset madeAt = DateTimeOffset.UtcNow;
        await DatabaseDump.WriteAsync(storage.Database.ConnectionString, Path.Combine(folder, DumpName), cancellationToken);
        await using NpgsqlConnection connection = await storage.Database.DataSource.OpenConnectionAsync(cancellationToken);
        var digests = (await connection.QueryAsync<string>("select digest from artifact order by digest")).AsList();
        var copied = new List<string>();
        foreach (string digest in digests)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (storage.Artifacts.TryCopy(digest, Path.Combine(folder, "objects", digest)))
            {
                copied.Add(digest);
            }

            progress(copied.Count, digests.Count);
        }

        var manifest = new BackupManifest(Format, madeAt, copied);
        string file = Path.Combine(folder, ManifestName);
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(manifest, JsonSerializerOptions.Web), cancellationToken);
        return manifest;
    }

    private static async Task<BackupManifest> ReadManifestAsync(string source, CancellationToken cancellationToken)
    {
        string file = Path.Combine(source, ManifestName);
        if (!File.Exists(file))
        {
            throw new StorageException($"{file} is missing: {source} is no backup");
        }

        BackupManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<BackupManifest>(
                await File.ReadAllTextAsync(file, cancellationToken),
                JsonSerializerOptions.Web
            );
        }
        catch (JsonException e)
        {
            throw new StorageException($"{file} is damaged: {e.Message}", e);
        }

        if (manifest is not { Format: > 0 })
        {
            throw new StorageException($"{file} is damaged: it does not say which layout it has");
        }

        if (manifest.Format > Format)
        {
            throw new StorageException(
                $"{file} has the layout {manifest.Format} of a newer ElectraPipeline; this one knows layouts up to {Format}. Restore "
                    + "with the newer version."
            );
        }

        // They become names of folders that are written and removed.
        string? stranger = manifest.Artifacts is { } digests
            ? digests.Where(digest => !ArtifactStore.IsDigest(digest)).Select(digest => $"'{digest}'").FirstOrDefault()
            : "nothing";
        return stranger is null
            ? manifest
            : throw new StorageException($"{file} is damaged: it lists {stranger} where digests of sealed folders belong");
    }

    private static async Task RefuseUsedAsync(string connectionString, CancellationToken cancellationToken)
    {
        NpgsqlConnectionStringBuilder builder = ConnectionFault.Parse(connectionString);
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
        }
        catch (Exception e) when (ConnectionFault.Is(e))
        {
            throw ConnectionFault.Describe(e, builder);
        }

        if (
            await connection.ExecuteScalarAsync<bool>(
                "select exists (select 1 from information_schema.schemata where schema_name = 'electra')"
            )
        )
        {
            throw new StorageException(
                $"the database {connection.Database} holds a schema 'electra' already; restore into an empty database. If a restore "
                    + "that was interrupted left it: drop schema electra cascade"
            );
        }
    }

    // Between the dump and the copy a checkpoint may have been pruned; its row would promise what is not there.
    private static async Task ForgetUncopiedAsync(Database database, BackupManifest manifest, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = await database.DataSource.OpenConnectionAsync(cancellationToken);
        await connection.ExecuteAsync(
            """
            delete from checkpoint where not artifact = any(@copied);
            delete from artifact a
            where not a.digest = any(@copied) and not exists (select 1 from stage_cache c where c.output_digest = a.digest);
            """,
            new { copied = manifest.Artifacts.ToArray() }
        );
    }
}
