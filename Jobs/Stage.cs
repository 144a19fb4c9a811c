using ElectraPipeline.Storage;
using ElectraPipeline.Storage.Runs;
using ElectraPipeline.Training;

namespace ElectraPipeline.Jobs;

/// <summary>
/// One kind of work of a run. It runs at least once; its output is published exactly once. Its name is stored: never rename one.
/// </summary>
public abstract class Stage(string name, int codeVersion)
{
    /// <summary>The stored name.</summary>
    public string Name { get; } = name;

    /// <summary>
    /// Part of the fingerprint: raise it when the same inputs and options would give other bytes, so that old outputs are not reused.
    /// A commit that changes nothing about the output must not redo weeks of training.
    /// </summary>
    public int CodeVersion { get; } = codeVersion;

    /// <summary>
    /// Whether it loads LibTorch: such stages run one at a time on a host, in a child process, and use the training slot.
    /// </summary>
    public virtual bool IsTraining => false;

    /// <summary>The queue whose workers may do it: "gpu" for training on CUDA, else "cpu".</summary>
    public virtual string Queue(RunConfig config) => "cpu";

    /// <summary>
    /// How the names of the fields begin whose files it opens: "corpus.". Of those the worker checks where they lie before it starts the
    /// stage; none: it opens no file outside the artifact store.
    /// </summary>
    public abstract IReadOnlyList<string> FilesOfConfig { get; }

    /// <summary>Whether it opens the files of that field of a config.</summary>
    internal bool Opens(string field) => FilesOfConfig.Any(start => field.StartsWith(start, StringComparison.Ordinal));

    /// <summary>All that the output depends on beside the inputs: options, seeds, digests of files outside the artifact store.</summary>
    /// <exception cref="PermanentException">A file that the config names is missing.</exception>
    protected abstract IEnumerable<string> Ingredients(RunConfig config, string shard, ConfigFiles files);

    /// <summary>
    /// Does the work: reads the inputs, fills <see cref="StageContext.OutputFolder"/>, and returns small facts for people (JSON), or
    /// null. <paramref name="cancellationToken"/> fires when the worker shuts down or the lease is lost.
    /// </summary>
    public abstract Task<string?> RunAsync(StageContext context, CancellationToken cancellationToken);

    /// <summary>Writes more in the transaction that publishes the output; what it returns replaces the result.</summary>
    public virtual Func<StorageTransaction, Task<string?>>? Publication(StageContext context) => null;

    /// <summary>SHA-256 over stage, code version, ingredients and the digests of the ordered inputs.</summary>
    public string Fingerprint(RunConfig config, string shard, ConfigFiles files, IReadOnlyList<StageInput> inputs) =>
        TextDigest.Of([
            Name,
            $"{CodeVersion}",
            .. Ingredients(config, shard, files),
            .. inputs.Select(input => $"{input.Stage}[{input.Shard}]={input.Digest}"),
        ]);
}

/// <summary>What a stage has to work with.</summary>
/// <param name="Storage">All stores.</param>
/// <param name="Run">The run.</param>
/// <param name="Config">Its resolved config.</param>
/// <param name="Lease">The lease.</param>
/// <param name="Files">The files that the config names, as the fingerprint was made of them.</param>
/// <param name="Inputs">Outputs of the parents.</param>
/// <param name="Fingerprint">The fingerprint of this work.</param>
/// <param name="WorkFolder">An empty folder of this lease.</param>
/// <param name="Reporter">Where it reports.</param>
/// <param name="Worker">Settings of this worker.</param>
public sealed record StageContext(
    ElectraStorage Storage,
    StoredRun Run,
    RunConfig Config,
    StageLease Lease,
    ConfigFiles Files,
    IReadOnlyList<StageInput> Inputs,
    string Fingerprint,
    string WorkFolder,
    IStageReporter Reporter,
    WorkerOptions Worker
)
{
    /// <summary>What is sealed at the end.</summary>
    public string OutputFolder { get; } = Directory.CreateDirectory(Path.Combine(WorkFolder, "output")).FullName;

    /// <summary>The only output of a parent stage.</summary>
    public StageInput Input(string stage) => Inputs.Single(input => input.Stage == stage);

    /// <summary>Folder of the only output of a parent stage.</summary>
    public string FolderOf(string stage) => Storage.Artifacts.Fetch(Input(stage).Digest);

    /// <summary>Folders of the outputs of a fanned-out parent stage, in shard order.</summary>
    public IReadOnlyList<string> FoldersOf(string stage) =>
        [.. Inputs.Where(input => input.Stage == stage).Select(input => Storage.Artifacts.Fetch(input.Digest))];
}
