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

/// <summary>The "model" artifact: <c>discriminator/</c> and <c>generator/</c> as Hugging Face loads them, and <c>electra.json</c>.</summary>
internal static class ElectraModelFolder
{
    /// <summary>Name of the discriminator's folder.</summary>
    internal const string DiscriminatorName = "discriminator";

    /// <summary>Name of the generator's folder.</summary>
    internal const string GeneratorName = "generator";

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
        string folder, ElectraPretrainingModel model, ElectraDescription description, Vocabulary vocabulary, TokenizerOptions tokenizer)
    {
        using var scope = NewDisposeScope();
        string discriminator = Path.Combine(folder, DiscriminatorName), generator = Path.Combine(folder, GeneratorName);
        ElectraConfig config = model.Config;
        HuggingFaceFolder.WriteDiscriminator(
            discriminator, ConfigOf(config, config.Discriminator, vocabulary.PadId), model.DiscriminatorState());
        HuggingFaceFolder.WriteGenerator(generator, ConfigOf(config, config.Generator, vocabulary.PadId), model.GeneratorState());
        HuggingFaceFolder.WriteTokenizer(discriminator, vocabulary, tokenizer, config.MaxPositions);
        HuggingFaceFolder.WriteTokenizer(generator, vocabulary, tokenizer, config.MaxPositions);
        DurableFile.Write(Path.Combine(folder, DescriptionName), JsonSerializer.SerializeToUtf8Bytes(description, Json));
    }

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

    /// <summary>
    /// Reads both models of a folder. The word, position and segment embeddings are the discriminator's; the generator may have
    /// another depth and width.
    /// </summary>
    /// <exception cref="PermanentException">A file is missing or damaged, or the two models do not share embeddings of one size.</exception>
    public static ElectraPretrainingModel Read(string folder, Device device)
    {
        using HuggingFaceModel discriminator = HuggingFaceFolder.ReadDiscriminator(Path.Combine(folder, DiscriminatorName));
        using HuggingFaceModel generator = HuggingFaceFolder.ReadGenerator(Path.Combine(folder, GeneratorName));
        var model = new ElectraPretrainingModel(ConfigOf(discriminator.Config, generator.Config), device);
        Load(model, model.GeneratorNames(), generator, folder);
        Load(model, model.DiscriminatorNames(), discriminator, folder);
        return model;
    }

    private static void Load(
        ElectraPretrainingModel model, IEnumerable<(string Name, string Parameter)> names, HuggingFaceModel source, string folder)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach ((string name, string parameter) in names)
        {
            Tensor target = model.Parameters.Value(parameter), values = source.Tensors[name];
            if (!values.shape.SequenceEqual(target.shape))
            {
                throw new PermanentException($"{folder}: generator and discriminator do not share \"{name}\": their sizes differ");
            }

            target.copy_(values);
        }
    }

    private static HuggingFaceConfig ConfigOf(ElectraConfig config, EncoderConfig encoder, int padId) => new()
    {
        VocabSize = config.VocabularySize,
        EmbeddingSize = config.EmbeddingSize,
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

    private static ElectraConfig ConfigOf(HuggingFaceConfig discriminator, HuggingFaceConfig generator) => new()
    {
        VocabularySize = discriminator.VocabSize,
        EmbeddingSize = discriminator.EmbeddingSize,
        MaxPositions = discriminator.MaxPositionEmbeddings,
        TypeVocabularySize = discriminator.TypeVocabSize,
        Discriminator = EncoderOf(discriminator),
        Generator = EncoderOf(generator),
        HiddenDropout = discriminator.HiddenDropoutProb,
        AttentionDropout = discriminator.AttentionProbsDropoutProb,
        InitializerRange = discriminator.InitializerRange,
        LayerNormEpsilon = discriminator.LayerNormEps,
    };

    private static EncoderConfig EncoderOf(HuggingFaceConfig config) => new()
    {
        Layers = config.NumHiddenLayers,
        HiddenSize = config.HiddenSize,
        IntermediateSize = config.IntermediateSize,
        AttentionHeads = config.NumAttentionHeads,
    };
}
