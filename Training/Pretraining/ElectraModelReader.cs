using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>Reads all networks of a "model" artifact or a folder laid out like one, or the one network of a Hugging Face folder.</summary>
internal sealed class ElectraModelReader : IDisposable
{
    private readonly string folder;
    private readonly ElectraConfig? described;
    private readonly HuggingFaceModel? detection;
    private readonly HuggingFaceModel? languageModel;
    private readonly HuggingFaceModel? generator;

    private ElectraModelReader(string folder)
    {
        this.folder = folder;
        bool isDescribed = File.Exists(Path.Combine(folder, ElectraModelFolder.DescriptionName));
        described = isDescribed ? ElectraModelFolder.ReadDescription(folder).Model : null;
        string config = Path.Combine(folder, HuggingFaceFolder.ConfigName);
        if (File.Exists(config))
        {
            bool guesses = HuggingFaceConfig.Read(config).Architectures?.Contains(ElectraArchitecture.MaskedLanguageModel) ?? false;
            detection = guesses ? null : HuggingFaceFolder.Read(folder, ElectraArchitecture.PreTraining);
            languageModel = guesses ? HuggingFaceFolder.Read(folder, ElectraArchitecture.MaskedLanguageModel) : null;
            return;
        }

        detection = ReadIfThere(ElectraModelFolder.DiscriminatorName, ElectraArchitecture.PreTraining);
        languageModel = ReadIfThere(ElectraModelFolder.LanguageModelName, ElectraArchitecture.MaskedLanguageModel);
        generator = ReadIfThere(ElectraModelFolder.GeneratorName, ElectraArchitecture.MaskedLanguageModel);
    }

    private HuggingFaceModel Main =>
        detection
        ?? languageModel
        ?? throw new PermanentException(
            $"{folder}: there is neither {HuggingFaceFolder.ConfigName} nor {ElectraModelFolder.DiscriminatorName}/ nor "
                + $"{ElectraModelFolder.LanguageModelName}/ in it"
        );

    /// <summary>
    /// Reads the networks that the folder holds; their depths and widths may differ. Embeddings are shared where the description says so,
    /// or, without one, where both models hold the same.
    /// </summary>
    /// <exception cref="PermanentException">A file is missing or damaged, or the networks do not fit each other.</exception>
    public static ElectraPretrainingModel Read(string folder, Device device)
    {
        using var reader = new ElectraModelReader(folder);
        var model = new ElectraPretrainingModel(reader.Config(), device);
        reader.LoadInto(model);
        return model;
    }

    /// <summary>Copies what the folder holds into the parameters of the same names of a model that may have others too.</summary>
    /// <returns>The layout's names of the parameters that were set.</returns>
    /// <exception cref="PermanentException">A file is missing or damaged, or a shape differs.</exception>
    public static IReadOnlySet<string> ReadInto(string folder, ElectraPretrainingModel model)
    {
        using var reader = new ElectraModelReader(folder);
        return reader.LoadInto(model);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        detection?.Dispose();
        languageModel?.Dispose();
        generator?.Dispose();
    }

    /// <summary>Copies tensors under Hugging Face's names into a model's parameters; returns the parameters' names.</summary>
    /// <exception cref="PermanentException">A shape differs.</exception>
    internal static IReadOnlyList<string> Load(
        ElectraPretrainingModel model,
        IEnumerable<(string Name, string Parameter)> names,
        IReadOnlyDictionary<string, Tensor> tensors,
        string folder
    )
    {
        List<string> set = [];
        foreach ((string name, string parameter) in names.Where(pair => tensors.ContainsKey(pair.Name)))
        {
            long[] shape = [.. model.Parameters.Layout.ByName[parameter].Shape];
            Tensor values = tensors[name];
            if (!values.shape.SequenceEqual(shape))
            {
                throw new PermanentException(
                    $"{folder}: \"{name}\" is [{string.Join(", ", values.shape)}], the model's is [{string.Join(", ", shape)}]: "
                        + "generator and main model do not share it, or the sizes differ from the config's"
                );
            }

            model.Set(parameter, values);
            set.Add(parameter);
        }

        return set;
    }

    // The generator's embeddings come first: those of the main model may be differences to them.
    private HashSet<string> LoadInto(ElectraPretrainingModel model)
    {
        ModelParts parts = model.Config.Parts;
        HashSet<string> set = [];
        if (parts.Generator == ModelParts.MaskedGenerator && generator is not null)
        {
            set.UnionWith(Load(model, model.GeneratorNames(), generator.Tensors, folder));
        }
        else if (parts.Generator == ModelParts.TwoTowerGenerator)
        {
            set.UnionWith(LoadTowers(model));
        }

        if (parts.Predicts && languageModel is not null)
        {
            set.UnionWith(Load(model, model.LanguageModelNames(), languageModel.Tensors, folder));
        }

        HuggingFaceModel main = parts.Detects && detection is not null ? detection : Main;
        set.UnionWith(Load(model, model.DetectionNames(), main.Tensors, folder));
        return set;
    }

    private IReadOnlyList<string> LoadTowers(ElectraPretrainingModel model)
    {
        string path = Path.Combine(folder, ElectraModelFolder.TowersName);
        if (!File.Exists(path))
        {
            return [];
        }

        using var scope = NewDisposeScope();
        using SafeTensorsFile file = SafeTensorsFile.Open(path);
        return Load(model, ElectraModelFolder.TowerNames(model), file.Names.ToDictionary(name => name, name => file.Read(name)), folder);
    }

    private HuggingFaceModel? ReadIfThere(string name, string architecture)
    {
        string path = Path.Combine(folder, name);
        return Directory.Exists(path) ? HuggingFaceFolder.Read(path, architecture) : null;
    }

    private ElectraConfig Config()
    {
        Require(ModelParts.MaskedGenerator, generator is not null, ElectraModelFolder.GeneratorName + "/");
        Require(
            ModelParts.TwoTowerGenerator,
            File.Exists(Path.Combine(folder, ElectraModelFolder.TowersName)),
            ElectraModelFolder.TowersName
        );
        HuggingFaceConfig main = Main.Config;
        bool towers = described?.Parts.Generator == ModelParts.TwoTowerGenerator;
        string sharing = Sharing();
        return new ElectraConfig
        {
            VocabularySize = main.VocabSize,
            EmbeddingSize = main.EmbeddingSize,
            GeneratorEmbeddingSize =
                sharing == ElectraConfig.TiedEmbeddings ? null
                : towers ? described!.EmbeddingSizeOfGenerator
                : generator!.Config.EmbeddingSize,
            EmbeddingSharing = sharing,
            MaxPositions = main.MaxPositionEmbeddings,
            TypeVocabularySize = main.TypeVocabSize,
            Parts = new ModelParts(
                detection is null ? ModelParts.LanguageModel
                    : languageModel is null ? ModelParts.Detection
                    : ModelParts.BothHeads,
                towers ? ModelParts.TwoTowerGenerator
                    : generator is null ? ModelParts.NoGenerator
                    : ModelParts.MaskedGenerator
            ),
            Discriminator = main.Encoder,
            Generator = towers ? described!.Generator : (generator?.Config ?? main).Encoder,
            HiddenDropout = main.HiddenDropoutProb,
            AttentionDropout = main.AttentionProbsDropoutProb,
            InitializerRange = main.InitializerRange,
            LayerNormEpsilon = main.LayerNormEps,
        };
    }

    private void Require(string kind, bool isThere, string name)
    {
        if (described?.Parts.Generator == kind && !isThere)
        {
            throw new PermanentException($"{folder}: {name} is missing, the generator that {ElectraModelFolder.DescriptionName} speaks of");
        }
    }

    /// <summary>A model whose embeddings were differences is read as one with embeddings of its own: the sums are what is stored.</summary>
    private string Sharing()
    {
        bool shared = described is null
            ? generator is null || SameEmbeddings(Main, generator)
            : described.EmbeddingSharing == ElectraConfig.TiedEmbeddings;
        return shared ? ElectraConfig.TiedEmbeddings : ElectraConfig.UntiedEmbeddings;
    }

    private static bool SameEmbeddings(HuggingFaceModel main, HuggingFaceModel generator)
    {
        using var scope = NewDisposeScope();
        return main
            .Tensors.Where(pair => pair.Key.StartsWith("electra.embeddings.", StringComparison.Ordinal))
            .All(pair =>
                generator.Tensors.TryGetValue(pair.Key, out Tensor? other)
                && pair.Value.shape.SequenceEqual(other.shape)
                && (pair.Value == other).all().item<bool>()
            );
    }
}
