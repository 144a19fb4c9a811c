using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Jobs;

/// <summary>
/// The files outside the artifact store that one attempt of a stage reads. Each is opened once for the fingerprint, where it must lie in
/// the folders that are allowed; whoever reads it later gets its digest, and refuses other bytes. So an output is always that of the
/// bytes in its fingerprint, and nothing put in a file's place meanwhile is read.
/// </summary>
/// <param name="stage">Whose files they are.</param>
/// <param name="config">The resolved config that names them.</param>
/// <param name="confined">What this worker is confined to.</param>
public sealed class ConfigFiles(Stage stage, RunConfig config, InputFolders confined)
{
    private readonly Dictionary<string, string> digests = [];
    private CorpusFiles? corpus;

    /// <summary>SHA-256 by path of the files that <see cref="Digest"/> and <see cref="DigestOfFolder"/> were asked for.</summary>
    public IReadOnlyDictionary<string, string> Digests => digests;

    /// <summary>The files of the corpus and its filters.</summary>
    /// <exception cref="PermanentException">One is missing, or lies where it may not.</exception>
    public CorpusFiles Corpus() => corpus ??= CorpusFiles.Resolve(config.Corpus, path => AllowedFor(path, "corpus.paths"));

    /// <summary>SHA-256 of a file, lower-case hex.</summary>
    /// <exception cref="PermanentException">It is missing (<paramref name="field"/> names it), or lies where it may not.</exception>
    public string Digest(string path, string field) =>
        digests[path] = File.Exists(path) ? CheckedFile.Digest(path, AllowedFor(path, field)) : throw Missing("file", path, field);

    /// <summary>SHA-256 over the names and bytes of all files of a folder, lower-case hex.</summary>
    /// <exception cref="PermanentException">It is missing (<paramref name="field"/> names it), or lies where it may not.</exception>
    public string DigestOfFolder(string path, string field) =>
        digests[path] = Directory.Exists(path)
            ? CheckedFile.DigestOfFolder(path, AllowedFor(path, field))
            : throw Missing("folder", path, field);

    /// <summary>What stands for the examples of a dataset that is mixed in.</summary>
    /// <exception cref="PermanentException">There is none, it is damaged, or it lies where it may not.</exception>
    public string DigestOf(MixedDataset dataset) =>
        digests[dataset.Path] = ExampleMixture.DigestOf(dataset, AllowedFor(dataset.Path, "mixture.datasets"));

    // A stage whose fields nobody checked must not come to open files by them.
    private InputFolders AllowedFor(string path, string field) =>
        stage.Opens(field)
            ? confined.And(config.Inputs?.AllowedFor(path) ?? InputFolders.Anywhere)
            : throw new InvalidOperationException($"the stage {stage.Name} opens files of {field}, which its FilesOfConfig does not say");

    private static PermanentException Missing(string what, string path, string field) =>
        new($"{path}: no such {what}; the config's {field} names it. Put it there or change {field}, then retry.");
}
