using System.Text.Json;
using ElectraPipeline.Training.Checkpoints.TensorFlow;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Checkpoints.Import;

/// <summary>
/// A model of another program, opened: what it holds, what becomes of each tensor, and, written, the same "model" artifact that
/// pre-training makes.
/// </summary>
public sealed class ModelImport : IDisposable
{
    /// <summary>Name of the file in the artifact that says what it was imported from.</summary>
    public const string LineageName = "import.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    private readonly ImportRequest request;
    private readonly IReadOnlyList<ITensorSource> opened;
    private readonly IReadOnlyList<ImportSource> sources;
    private readonly string tokenizerFolder;

    private ModelImport(
        ImportRequest request,
        string format,
        IReadOnlyList<ITensorSource> opened,
        IReadOnlyList<ImportSource> sources,
        string tokenizerFolder
    )
    {
        this.request = request;
        this.opened = opened;
        this.sources = WithMain(sources);
        this.tokenizerFolder = tokenizerFolder;
        Format = format;
        Faults = [.. this.sources.SelectMany(source => source.Faults()), .. Disagreements()];
    }

    /// <summary>"Hugging Face" or "TensorFlow".</summary>
    public string Format { get; }

    /// <summary>The models that will be written.</summary>
    public IReadOnlyList<ImportedModel> Models => [.. sources.Select(source => source.Description)];

    /// <summary>Why it cannot be written; none: it can.</summary>
    public IReadOnlyList<string> Faults { get; }

    /// <summary>Every tensor of the sources: what it becomes, or why it is left.</summary>
    public IReadOnlyList<ImportedTensor> Tensors => [.. opened.SelectMany(TensorsOf)];

    /// <summary>Opens a source and matches its tensors with those of the models.</summary>
    /// <exception cref="PermanentException">There is no source of a known format, or it is damaged.</exception>
    public static ModelImport Open(ImportRequest request)
    {
        string source = Path.GetFullPath(request.Source);
        if (TensorFlowCheckpoint.FindPrefix(source) is { } prefix)
        {
            return OpenCheckpoint(request, prefix);
        }

        string[] folders = [.. Folders(source, request.Generator).Where(folder => Holds(folder))];
        if (folders.Length == 0)
        {
            throw new PermanentException(
                $"{source}: there is neither a {HuggingFaceFolder.ConfigName} (a Hugging Face folder) nor a file ending "
                    + "with .index (a TensorFlow checkpoint)"
            );
        }

        List<ImportSource> models = [];
        try
        {
            foreach (string folder in folders)
            {
                models.Add(ImportSource.OfFolder(folder));
            }

            return new ModelImport(request, "Hugging Face", [.. models.Select(model => model.Tensors)], models, folders[0]);
        }
        catch
        {
            models.ForEach(model => model.Tensors.Dispose());
            throw;
        }
    }

    /// <summary>
    /// Writes discriminator/ and generator/ (those there are), or encoder/ for a language model alone, each with the tokenizer, and the
    /// lineage.
    /// </summary>
    /// <returns>The files that it was read from.</returns>
    /// <exception cref="PermanentException">Something is missing, contradicts the sizes, or is damaged.</exception>
    public IReadOnlyList<ImportedFile> Write(string folder)
    {
        if (Faults.Count > 0)
        {
            string rest = Faults.Count > 1 ? $" (and {Faults.Count - 1} more faults; see import --inspect)" : "";
            throw new PermanentException(Faults[0] + rest);
        }

        (Vocabulary vocabulary, TokenizerOptions tokenizer) = Tokenizer();
        foreach (ImportSource source in sources)
        {
            HuggingFaceConfig config = source.Description.Config;
            if (config.VocabSize != vocabulary.Count)
            {
                throw new PermanentException(
                    $"{source.Tensors.Path}: the {source.Description.Model} has {config.VocabSize} tokens, its vocabulary "
                        + $"{vocabulary.Count}; give the vocab.txt that it was trained with"
                );
            }

            source.Write(folder);
            HuggingFaceFolder.WriteTokenizer(
                Path.Combine(folder, source.Description.Model),
                vocabulary,
                tokenizer,
                config.MaxPositionEmbeddings
            );
        }

        ImportedFile[] files = [.. SourceFiles().Select(Describe)];
        var parts = files.Select(file => new
        {
            name = Path.GetFileName(file.Path),
            file.Bytes,
            file.Sha256,
        });
        object lineage = new { format = Format, files = parts };
        DurableFile.Write(Path.Combine(folder, LineageName), JsonSerializer.SerializeToUtf8Bytes(lineage, Json));
        return files;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ITensorSource source in opened)
        {
            source.Dispose();
        }
    }

    private static ModelImport OpenCheckpoint(ImportRequest request, string prefix)
    {
        if (request.Generator is not null)
        {
            throw new PermanentException(
                $"{prefix}: a generator of its own folder goes with a Hugging Face folder, not with a TensorFlow checkpoint"
            );
        }

        TensorFlowCheckpoint checkpoint = TensorFlowCheckpoint.Open(prefix);
        try
        {
            IReadOnlyList<ImportSource> models = new TensorFlowModels(checkpoint, request.HeadSize).Find();
            return new ModelImport(request, "TensorFlow", [checkpoint], models, Path.GetDirectoryName(prefix)!);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    private static IEnumerable<string> Folders(string source, string? generator)
    {
        yield return source;
        yield return Path.Combine(source, ElectraModelFolder.DiscriminatorName);
        yield return generator is null ? Path.Combine(source, ElectraModelFolder.GeneratorName) : Path.GetFullPath(generator);
    }

    private static bool Holds(string folder) => File.Exists(Path.Combine(folder, HuggingFaceFolder.ConfigName));

    // A language model alone is no generator of anything: its encoder is what fine-tuning starts from.
    private static IReadOnlyList<ImportSource> WithMain(IReadOnlyList<ImportSource> sources) =>
        sources is [{ Description: { Architecture: ElectraArchitecture.MaskedLanguageModel } only }]
            ? [sources[0] with { Description = only with { Model = ElectraModelFolder.LanguageModelName } }]
            : sources;

    private IEnumerable<string> Disagreements()
    {
        if (sources.Count == 0)
        {
            yield return $"{opened[0].Path}: there is neither a discriminator nor a generator of the official code among "
                + $"{opened[0].Names.Count} variables (import --inspect lists them)";
            yield break;
        }

        var models = sources.GroupBy(source => source.Description.Model);
        foreach (IGrouping<string, ImportSource> twice in models.Where(group => group.Count() > 1))
        {
            yield return $"{string.Join(" and ", twice.Select(source => source.Tensors.Path))} are both a {twice.Key}; import one of them";
        }

        int[] sizes = [.. sources.Select(source => source.Description.Config.VocabSize).Distinct()];
        if (sizes.Length > 1)
        {
            yield return $"{sources[0].Tensors.Path} has {sizes[0]} tokens and {sources[1].Tensors.Path} {sizes[1]}: they are no pair";
        }
    }

    private IEnumerable<ImportedTensor> TensorsOf(ITensorSource tensors)
    {
        ILookup<string, ImportedTensor> taken = sources
            .Where(source => ReferenceEquals(source.Tensors, tensors))
            .SelectMany(source =>
                source
                    .Matches.Where(match => tensors.Contains(match.Source))
                    .Select(match => new ImportedTensor(
                        tensors.Describe(match.Source),
                        source.Description.Model,
                        match.Name,
                        match.IsTransposed ? "transposed" : null
                    ))
            )
            .ToLookup(tensor => tensor.Source.Name);
        return tensors.Names.SelectMany(name =>
            taken.Contains(name) ? taken[name] : [new ImportedTensor(tensors.Describe(name), null, null, ReasonLeft(name))]
        );
    }

    private string ReasonLeft(string name) =>
        Format == "TensorFlow" ? ElectraVariables.ReasonLeft(name)
        : ElectraArchitecture.IsRedundant(name) ? "says nothing new: a buffer, or tied to the word embeddings"
        : "no tensor of this class";

    private (Vocabulary Vocabulary, TokenizerOptions Options) Tokenizer()
    {
        bool isBeside = request.Vocabulary is null;
        (Vocabulary vocabulary, TokenizerOptions options) = isBeside
            ? TokenizerReader.Read(tokenizerFolder)
            : (Vocabulary.Load(request.Vocabulary!), new TokenizerOptions());
        return (vocabulary, request.LowerCase is { } lowerCase ? options with { LowerCase = lowerCase, StripAccents = null } : options);
    }

    private IEnumerable<string> SourceFiles()
    {
        IEnumerable<string> weights = sources.SelectMany(source => source.Tensors.Files);
        IEnumerable<string> configs =
            Format == "TensorFlow"
                ? []
                : sources.Select(source => Path.Combine(Path.GetDirectoryName(source.Tensors.Path)!, HuggingFaceFolder.ConfigName));
        string vocabulary = request.Vocabulary ?? Path.Combine(tokenizerFolder, VocabularyStore.VocabularyName);
        return weights.Concat(configs).Append(vocabulary).Where(File.Exists).Distinct();
    }

    private static ImportedFile Describe(string path) =>
        new(Path.GetFullPath(path), new FileInfo(path).Length, CheckpointWriter.Digest(path));
}
