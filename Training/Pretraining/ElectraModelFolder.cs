using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>What <c>electra.json</c> says: how a model came to be.</summary>
public sealed record ElectraDescription
{
    /// <summary>All sizes.</summary>
    public required ElectraConfig Model { get; init; }

    /// <summary>The options it was trained with, resolved.</summary>
    public required PretrainOptions Pretrain { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public required long Step { get; init; }

    /// <summary>The run's seed.</summary>
    public required ulong Seed { get; init; }
}

/// <summary>
/// The "model" artifact: a folder that Hugging Face loads for each head of the main encoder (<c>discriminator/</c> for detection,
/// <c>encoder/</c> for a language model) and for the generator (<c>generator/</c>; Electric's, which Hugging Face does not know, in one
/// file), and <c>electra.json</c>.
/// </summary>
internal static class ElectraModelFolder
{
    /// <summary>Name of the folder of a main encoder that detects.</summary>
    internal const string DiscriminatorName = "discriminator";

    /// <summary>Name of the folder of a main encoder that is a language model.</summary>
    internal const string LanguageModelName = "encoder";

    /// <summary>Name of the folder of a masked language model that is the generator.</summary>
    internal const string GeneratorName = "generator";

    /// <summary>Name of the file of a two-tower generator.</summary>
    internal const string TowersName = "two-tower-generator.safetensors";

    /// <summary>Name of the description.</summary>
    internal const string DescriptionName = "electra.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict)
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Writes model, tokenizer and description.</summary>
    public static void Write(
        string folder,
        ElectraPretrainingModel model,
        ElectraDescription description,
        Vocabulary vocabulary,
        TokenizerOptions tokenizer
    )
    {
        using var scope = NewDisposeScope();
        ElectraConfig config = model.Config;
        HuggingFaceConfig main = ConfigOf(config, config.Discriminator, config.EmbeddingSize, vocabulary.PadId);
        if (config.Parts.Detects)
        {
            HuggingFaceFolder.WriteDiscriminator(Named(DiscriminatorName), main, model.State(model.DetectionNames()));
        }

        if (config.Parts.Predicts)
        {
            HuggingFaceFolder.WriteGenerator(Named(LanguageModelName), main, model.State(model.LanguageModelNames()));
        }

        WriteGenerator(folder, model, vocabulary.PadId);
        foreach (string written in new[] { DiscriminatorName, LanguageModelName, GeneratorName }.Select(Named).Where(Directory.Exists))
        {
            HuggingFaceFolder.WriteTokenizer(written, vocabulary, tokenizer, config.MaxPositions);
        }

        DurableFile.Write(Path.Combine(folder, DescriptionName), JsonSerializer.SerializeToUtf8Bytes(description, Json));

        string Named(string name) => Path.Combine(folder, name);
    }

    /// <summary>The folder of the main encoder: in a "model" artifact, or <paramref name="folder"/> itself.</summary>
    public static string MainFolderOf(string folder) =>
        new[] { DiscriminatorName, LanguageModelName }.Select(name => Path.Combine(folder, name)).FirstOrDefault(Directory.Exists)
        ?? folder;

    /// <summary>Reads <c>electra.json</c>.</summary>
    /// <exception cref="PermanentException">It is missing or not what <see cref="Write"/> wrote.</exception>
    public static ElectraDescription ReadDescription(string folder)
    {
        string path = Path.Combine(folder, DescriptionName);
        try
        {
            return JsonSerializer.Deserialize<ElectraDescription>(File.ReadAllBytes(path), Json)
                ?? throw new PermanentException($"{path} holds null, not a model's description");
        }
        catch (Exception fault) when (fault is JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"{path}: not a model's description: {fault.Message}", fault);
        }
    }

    private static void WriteGenerator(string folder, ElectraPretrainingModel model, int padId)
    {
        ElectraConfig config = model.Config;
        if (config.Parts.Generator == ModelParts.MaskedGenerator)
        {
            HuggingFaceConfig generator = ConfigOf(config, config.Generator, config.EmbeddingSizeOfGenerator, padId);
            HuggingFaceFolder.WriteGenerator(Path.Combine(folder, GeneratorName), generator, model.State(model.GeneratorNames()));
        }
        else if (config.Parts.Generator == ModelParts.TwoTowerGenerator)
        {
            SafeTensors.Write(Path.Combine(folder, TowersName), model.State(TowerNames(model)));
        }
    }

    /// <summary>A two-tower generator's own parameters, under the names they have here.</summary>
    internal static IEnumerable<(string Name, string Parameter)> TowerNames(ElectraPretrainingModel model) =>
        model
            .Parameters.Layout.Slots.Where(slot => slot.Name.StartsWith(ElectraPretrainingModel.GeneratorPrefix, StringComparison.Ordinal))
            .Select(slot => (slot.Name, slot.Name));

    private static HuggingFaceConfig ConfigOf(ElectraConfig config, EncoderConfig encoder, int embeddingSize, int padId) =>
        new()
        {
            VocabSize = config.VocabularySize,
            EmbeddingSize = embeddingSize,
            HiddenSize = encoder.HiddenSize,
            NumHiddenLayers = encoder.Layers,
            NumAttentionHeads = encoder.AttentionHeads,
            IntermediateSize = encoder.IntermediateSize,
            HiddenDropoutProb = config.HiddenDropout,
            AttentionProbsDropoutProb = config.AttentionDropout,
            MaxPositionEmbeddings = config.MaxPositions,
            TypeVocabSize = config.TypeVocabularySize,
            InitializerRange = config.InitializerRange,
            LayerNormEps = config.LayerNormEpsilon,
            PadTokenId = padId,
        };
}
