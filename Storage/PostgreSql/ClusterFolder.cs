using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace ElectraPipeline.Storage.PostgreSql;

/// <summary>The files of a private cluster, and the server programs run on them.</summary>
/// <remarks>
/// <para><c>data/</c> is PostgreSQL's, <c>socket/</c> holds its socket (or a folder under the temporary one, since a socket's path
/// may have 107 bytes at most), <c>log/</c> its log. <c>start.lock</c> is held while it starts or stops, <c>users.lock</c> is shared by
/// the processes that use it.</para>
/// <para>Who may connect: the kernel tells PostgreSQL the user of the other end (method "peer"), and only the account that owns the
/// cluster and root are mapped to its role. There is no password to leak and no TCP port.</para>
/// </remarks>
internal sealed class ClusterFolder
{
    private const int LongestSocketFolder = 85;
    private readonly ServerAccount account;

    private ClusterFolder(string root, ServerAccount account, PostgreSqlBinaries binaries)
    {
        Root = root;
        this.account = account;
        Binaries = binaries;
        string inside = Path.Combine(root, "socket");
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root)))[..16];
        SocketFolder = inside.Length <= LongestSocketFolder ? inside : Path.Combine(Path.GetTempPath(), $"electra-{hash}");
    }

    public string Root { get; }

    public PostgreSqlBinaries Binaries { get; }

    public string SocketFolder { get; }

    public string DataFolder => Path.Combine(Root, "data");

    public string StartLock => Path.Combine(Root, "start.lock");

    public string UsersLock => Path.Combine(Root, "users.lock");

    public string LogFile => Path.Combine(Root, "log", "postgresql.log");

    private string ProcessFile => Path.Combine(DataFolder, "postmaster.pid");

    /// <summary>Chooses programs and account for the cluster in <paramref name="root"/>; makes the folder, nothing in it.</summary>
    /// <exception cref="StorageException">No programs, none of the cluster's version, or no account to run them.</exception>
    public static ClusterFolder Open(string root)
    {
        root = Path.GetFullPath(root);
        Directory.CreateDirectory(root);
        var found = PostgreSqlBinaries.FindAll();
        string versionFile = Path.Combine(root, "data", "PG_VERSION");
        if (!File.Exists(versionFile))
        {
            return new ClusterFolder(root, ServerAccount.Choose(), found.Count > 0 ? found[0] : throw NoBinaries());
        }

        int major = int.Parse(File.ReadAllText(versionFile));
        var match = found.FirstOrDefault(binaries => binaries.Major == major) ?? found.FirstOrDefault(binaries => binaries.Major == 0);
        return new ClusterFolder(root, ServerAccount.Choose(), match ?? throw WrongVersion(root, major, found));
    }

    /// <summary>Makes the cluster, if there is none. A crash in the middle leaves nothing that looks like one.</summary>
    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(DataFolder))
        {
            return;
        }

        // initdb stamps PG_VERSION first, so its folder is renamed only when it is whole.
        string fresh = DataFolder + ".new";
        if (Directory.Exists(fresh))
        {
            Directory.Delete(fresh, recursive: true);
        }

        MakeFolder(fresh, isPrivate: true);
        await RunAsync(
            "initdb",
            [
                "--pgdata",
                fresh,
                "--username=electra",
                "--encoding=UTF8",
                "--locale=C",
                "--data-checksums",
                "--auth=peer",
                "--auth-host=reject",
                "--no-instructions",
            ],
            cancellationToken
        );
        await File.WriteAllTextAsync(Path.Combine(fresh, "pg_hba.conf"), "local all all peer map=electra\n", cancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(fresh, "pg_ident.conf"),
            $"electra root electra\nelectra {Quote(Environment.UserName)} electra\n",
            cancellationToken
        );
        await File.AppendAllTextAsync(Path.Combine(fresh, "postgresql.conf"), "\ninclude = 'electra.conf'\n", cancellationToken);
        Directory.Move(fresh, DataFolder);
        NativeFile.SyncFolder(Root);
    }

    /// <summary>Writes the settings of this program; they may change from one start to the next.</summary>
    public async Task ConfigureAsync(IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        MakeFolder(SocketFolder, isPrivate: false);
        MakeFolder(Path.GetDirectoryName(LogFile)!, isPrivate: false);
        var lines = new Dictionary<string, string>
        {
            ["listen_addresses"] = "",
            ["unix_socket_directories"] = SocketFolder,
            ["max_connections"] = "200",
            ["shared_buffers"] = "128MB",
        };
        foreach (var (name, value) in settings)
        {
            lines[name] = value;
        }

        var text = new StringBuilder("# Written by ElectraPipeline at each start.\n");
        foreach (var (name, value) in lines)
        {
            text.Append(name).Append(" = '").Append(value.Replace("'", "''")).Append("'\n");
        }

        await File.WriteAllTextAsync(Path.Combine(DataFolder, "electra.conf"), text.ToString(), cancellationToken);
    }

    /// <summary>Starts the server, detached from this process and its terminal, and waits until it answers.</summary>
    public async Task StartServerAsync(CancellationToken cancellationToken)
    {
        RemoveStaleProcessFile();
        await RunAsync("pg_ctl", ["start", "--pgdata", DataFolder, "--log", LogFile, "--wait", "--timeout=120"], cancellationToken);
    }

    /// <summary>Stops the server. "fast" ends sessions and writes a checkpoint; "immediate" is a crash that the next start mends.</summary>
    public async Task StopServerAsync(string mode, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync("pg_ctl", ["stop", "--pgdata", DataFolder, "--mode", mode, "--wait", "--timeout=60"], cancellationToken);
        }
        catch (StorageException) when (ServerProcess() is null)
        {
            // It runs no more: one that is still starting may die of the signal and leave its file, which pg_ctl calls a failure.
        }
    }

    /// <summary>Id of the running server's first process; null if none runs on this folder.</summary>
    public int? ServerProcess()
    {
        try
        {
            string? first = File.ReadLines(ProcessFile).FirstOrDefault();
            return int.TryParse(first, out int id) && NativeFile.ProcessExists(id) && WorksInDataFolder(id) ? id : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    // After a restart of a container another program may carry the id that postmaster.pid names, and PostgreSQL would not start.
    private void RemoveStaleProcessFile()
    {
        if (File.Exists(ProcessFile) && ServerProcess() is null)
        {
            File.Delete(ProcessFile);
        }
    }

    private bool WorksInDataFolder(int processId)
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }

        try
        {
            return new FileInfo($"/proc/{processId}/cwd").LinkTarget is not { } folder || folder == RealPath(DataFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static string RealPath(string path)
    {
        string? parent = Path.GetDirectoryName(path);
        string link = Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        return parent is null ? link
            : link != path ? RealPath(link)
            : Path.Combine(RealPath(parent), Path.GetFileName(path));
    }

    private void MakeFolder(string folder, bool isPrivate)
    {
        const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode Pass = UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder, Own);
            File.SetUnixFileMode(folder, isPrivate || !account.IsOther ? Own : Own | Pass);
        }

        account.Own(folder);
    }

    private async Task RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var (file, all) = account.CommandFor(Binaries.PathOf(program), arguments, DataFolder);
        var start = new ProcessStartInfo(file, all)
        {
            WorkingDirectory = "/",
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start) ?? throw new StorageException($"{file} could not be started");
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
        {
            throw new StorageException(
                $"{program} failed with exit code {process.ExitCode} on {Root} (as user {account.Name}): "
                    + $"{(await errors + await output).Trim()}\n{TailOfLog()}".TrimEnd()
            );
        }
    }

    private string TailOfLog() => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(5)) : "";

    private static string Quote(string name) => '"' + name.Replace("\"", "\"\"") + '"';

    private static StorageException NoBinaries() =>
        new(
            "PostgreSQL's server programs (initdb, pg_ctl, postgres) were not found on PATH or in the usual folders. "
                + "Install them (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql), or start the database of "
                + "docker-compose.yml (docker compose up -d) and set ELECTRA_DATABASE to its connection string."
        );

    private static StorageException WrongVersion(string root, int major, IReadOnlyList<PostgreSqlBinaries> found) =>
        new(
            $"{root} was made by PostgreSQL {major}, whose programs are not here (found: "
                + $"{(found.Count == 0 ? "none" : string.Join(", ", found.Select(binaries => binaries.Folder)))}). Install "
                + $"postgresql-{major}."
        );
}
