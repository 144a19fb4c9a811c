using ElectraPipeline.Storage.Accounts;
using ElectraPipeline.Storage.Artifacts;
using ElectraPipeline.Storage.Metrics;
using ElectraPipeline.Storage.PostgreSql;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Storage.Registry;
using ElectraPipeline.Storage.Runs;

namespace ElectraPipeline.Storage;

/// <summary>Where everything is kept.</summary>
public sealed record StorageOptions
{
    /// <summary>The variable that names the database when <see cref="ConnectionString"/> does not.</summary>
    public const string DatabaseVariable = "ELECTRA_DATABASE";

    /// <summary>The variable that names the place for artifacts when <see cref="Artifacts"/> does not.</summary>
    public const string ArtifactsVariable = "ELECTRA_ARTIFACTS";

    /// <summary>Folder of artifacts and work, and of the private PostgreSQL. Workers on several hosts must share it.</summary>
    public required string DataFolder { get; init; }

    /// <summary>
    /// Npgsql connection string; null: the variable ELECTRA_DATABASE, else a private PostgreSQL in <see cref="DataFolder"/>.
    /// </summary>
    public string? ConnectionString { get; init; }

    /// <summary>
    /// Where sealed folders are kept: <c>s3://BUCKET/PREFIX?endpoint=URL&amp;region=NAME</c>; null: the variable ELECTRA_ARTIFACTS, else
    /// where the database says, else <see cref="DataFolder"/>. Credentials come from the environment alone.
    /// </summary>
    public string? Artifacts { get; init; }

    /// <summary>The place for artifacts named by option or variable; null: none is.</summary>
    internal ArtifactLocation? ArtifactsOrVariable =>
        ArtifactLocation.Parse(Artifacts ?? Environment.GetEnvironmentVariable(ArtifactsVariable));

    /// <summary>The database named by option or variable; null: a private PostgreSQL.</summary>
    internal string? DatabaseOrVariable =>
        (ConnectionString ?? Environment.GetEnvironmentVariable(DatabaseVariable)) is { } named && !string.IsNullOrWhiteSpace(named)
            ? named
            : null;

    /// <summary>Whether the database is a private one in the data folder.</summary>
    internal bool UsesPrivateCluster => DatabaseOrVariable is null;
}

/// <summary>All stores of a data folder and its database.</summary>
public sealed class ElectraStorage : IAsyncDisposable
{
    private readonly PrivateCluster? cluster;

    private ElectraStorage(string dataFolder, Database database, ArtifactStore artifacts, PrivateCluster? cluster)
    {
        this.cluster = cluster;
        DataFolder = dataFolder;
        Database = database;
        Artifacts = artifacts;
        Garbage = new GarbageCollector(database.DataSource, Artifacts);
        Runs = new RunStore(database.DataSource);
        Leases = new StageLeases(database.DataSource, Artifacts);
        Checkpoints = new CheckpointStore(database.DataSource, Artifacts, Garbage);
        Reconciler = new Reconciler(database.DataSource);
        Journal = new StageJournal(database.DataSource);
        Registry = new ModelRegistry(database.DataSource, Artifacts);
        Schedules = new ScheduleStore(database.DataSource);
        Workers = new WorkerStore(database.DataSource);
        Accounts = new AccountStore(database.DataSource);
        Pauses = new PauseStore(database.DataSource);
        Audit = new AuditLog(database.DataSource);
        Queries = new Queries(database.DataSource);
    }

    /// <summary>Full path of the data folder.</summary>
    public string DataFolder { get; }

    /// <summary>The database.</summary>
    public Database Database { get; }

    /// <summary>Id of the private PostgreSQL's first process; null without one.</summary>
    public int? ServerProcess => cluster?.ServerProcess;

    /// <summary>Folders by content.</summary>
    public ArtifactStore Artifacts { get; }

    /// <summary>Removes what nothing names.</summary>
    public GarbageCollector Garbage { get; }

    /// <summary>Creates, cancels and retries runs.</summary>
    public RunStore Runs { get; }

    /// <summary>The protocol of stage runs.</summary>
    public StageLeases Leases { get; }

    /// <summary>Checkpoints of unfinished stage runs.</summary>
    public CheckpointStore Checkpoints { get; }

    /// <summary>Repairs.</summary>
    public Reconciler Reconciler { get; }

    /// <summary>Curves and log lines.</summary>
    public StageJournal Journal { get; }

    /// <summary>Datasets and models.</summary>
    public ModelRegistry Registry { get; }

    /// <summary>Schedules.</summary>
    public ScheduleStore Schedules { get; }

    /// <summary>Worker processes.</summary>
    public WorkerStore Workers { get; }

    /// <summary>What is held back.</summary>
    public PauseStore Pauses { get; }

    /// <summary>Who may log in to the dashboard.</summary>
    public AccountStore Accounts { get; }

    /// <summary>Who did what.</summary>
    public AuditLog Audit { get; }

    /// <summary>What people look at.</summary>
    public Queries Queries { get; }

    /// <summary>
    /// Opens the data folder and its database: the connection string given, else the variable ELECTRA_DATABASE, else a private
    /// PostgreSQL in the folder, which is started, or joined if another process runs it.
    /// </summary>
    /// <exception cref="StorageException">The folder or schema is of a newer version, or there is no PostgreSQL to use.</exception>
    public static async Task<ElectraStorage> OpenAsync(StorageOptions options, CancellationToken cancellationToken = default)
    {
        string folder = Storage.DataFolder.Open(options.DataFolder);
        PrivateCluster? cluster = options.UsesPrivateCluster
            ? await PrivateCluster.StartAsync(Path.Combine(folder, "postgresql"), cancellationToken: cancellationToken)
            : null;
        try
        {
            ArtifactLocation? given = options.ArtifactsOrVariable;
            var database = await Database.OpenAsync(cluster?.ConnectionString ?? options.DatabaseOrVariable!, cancellationToken);
            try
            {
                ArtifactLocation? location = await ArtifactLocation.AgreeAsync(database.DataSource, given, cancellationToken);
                return new ElectraStorage(folder, database, new ArtifactStore(folder, location), cluster);
            }
            catch
            {
                await database.DisposeAsync();
                throw;
            }
        }
        catch
        {
            if (cluster is not null)
            {
                await cluster.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>Closes the connections; stops the private PostgreSQL if no other process uses it.</summary>
    public async ValueTask DisposeAsync()
    {
        Artifacts.Dispose();
        await Database.DisposeAsync();
        if (cluster is not null)
        {
            await cluster.DisposeAsync();
        }
    }
}
