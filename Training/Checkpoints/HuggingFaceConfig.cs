using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ElectraPipeline.Training.Model;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>
/// Hugging Face's <c>config.json</c> of one ELECTRA encoder and its head. A file must say the sizes; other keys it may leave out have the
/// defaults of Hugging Face's class, and keys that change nothing here are ignored.
/// </summary>
public sealed record HuggingFaceConfig
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
    };

    private static readonly string[] SizeKeys =
    [
        "vocab_size",
        "embedding_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
    ];

    /// <summary>The sizes of the encoder, as the networks here take them.</summary>
    [JsonIgnore]
    internal EncoderConfig Encoder =>
        new()
        {
            Layers = NumHiddenLayers,
            HiddenSize = HiddenSize,
            IntermediateSize = IntermediateSize,
            AttentionHeads = NumAttentionHeads,
        };

    /// <summary>The class in Hugging Face's library that these weights belong to, one of <see cref="ElectraArchitecture"/>.</summary>
    public IReadOnlyList<string>? Architectures { get; init; }

    /// <summary>Element type of the weights as PyTorch names it ("float16"); null: not said, float32.</summary>
    [JsonPropertyName("torch_dtype")]
    public string? ElementType { get; init; }

    /// <summary>Always "electra".</summary>
    public string ModelType { get; init; } = "electra";

    /// <summary>Tokens V of the vocabulary.</summary>
    public int VocabSize { get; init; } = 30_522;

    /// <summary>Width E of the embeddings.</summary>
    public int EmbeddingSize { get; init; } = 128;

    /// <summary>Width H of the hidden states.</summary>
    public int HiddenSize { get; init; } = 256;

    /// <summary>Transformer layers.</summary>
    public int NumHiddenLayers { get; init; } = 12;

    /// <summary>Attention heads.</summary>
    public int NumAttentionHeads { get; init; } = 4;

    /// <summary>Width of the feed-forward layers.</summary>
    public int IntermediateSize { get; init; } = 1_024;

    /// <summary>Activation; only "gelu" (exact, by the error function) is known here.</summary>
    public string HiddenAct { get; init; } = "gelu";

    /// <summary>Dropout of embeddings and sub-layers.</summary>
    public double HiddenDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout of attention probabilities.</summary>
    public double AttentionProbsDropoutProb { get; init; } = 0.1;

    /// <summary>Dropout of a classification head; null: <see cref="HiddenDropoutProb"/>.</summary>
    public double? ClassifierDropout { get; init; }

    /// <summary>Longest sequence, in tokens.</summary>
    public int MaxPositionEmbeddings { get; init; } = 512;

    /// <summary>Segments a sequence may have.</summary>
    public int TypeVocabSize { get; init; } = 2;

    /// <summary>Standard deviation that weights were started with.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Epsilon of every layer norm.</summary>
    public double LayerNormEps { get; init; } = 1e-12;

    /// <summary>Which hidden state stands for the sequence in Hugging Face's multiple-choice head.</summary>
    public string SummaryType { get; init; } = "first";

    /// <summary>Whether that head has a dense layer.</summary>
    public bool SummaryUseProj { get; init; } = true;

    /// <summary>Activation after it.</summary>
    public string SummaryActivation { get; init; } = "gelu";

    /// <summary>Dropout after it.</summary>
    public double SummaryLastDropout { get; init; } = 0.1;

    /// <summary>Id of [PAD] in the vocabulary.</summary>
    public int PadTokenId { get; init; }

    /// <summary>Kind of positions; only "absolute" is known here.</summary>
    public string PositionEmbeddingType { get; init; } = "absolute";

    /// <summary>What a classification head predicts: "single_label_classification" or "regression"; null: no such head.</summary>
    public string? ProblemType { get; init; }

    /// <summary>Names of the head's classes by their number, written as text; null: no such head.</summary>
    [JsonPropertyName("id2label")]
    public IReadOnlyDictionary<string, string>? IdToLabel { get; init; }

    /// <summary>The inverse of <see cref="IdToLabel"/>.</summary>
    [JsonPropertyName("label2id")]
    public IReadOnlyDictionary<string, int>? LabelToId { get; init; }

    /// <summary>Class names in order of their numbers; Hugging Face's default is two.</summary>
    /// <exception cref="PermanentException">The numbers are not 0 to N - 1.</exception>
    [JsonIgnore]
    public IReadOnlyList<string> Labels =>
        IdToLabel is null
            ? ["LABEL_0", "LABEL_1"]
            :
            [
                .. Enumerable
                    .Range(0, IdToLabel.Count)
                    .Select(id =>
                        IdToLabel.TryGetValue(id.ToString(CultureInfo.InvariantCulture), out string? label)
                            ? label
                            : throw new PermanentException($"id2label has {IdToLabel.Count} entries but none for {id}")
                    ),
            ];

    /// <summary>The same encoder with a head that tells these classes apart.</summary>
    public HuggingFaceConfig WithLabels(IReadOnlyList<string> labels) =>
        this with
        {
            IdToLabel = labels.Index().ToDictionary(item => item.Index.ToString(CultureInfo.InvariantCulture), item => item.Item),
            LabelToId = labels.Index().ToDictionary(item => item.Item, item => item.Index),
        };

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <exception cref="PermanentException">
    /// It is missing, not JSON, lacks a size, or describes a model that this program does not compute.
    /// </exception>
    public static HuggingFaceConfig Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new PermanentException($"{path} holds a JSON {document.RootElement.ValueKind}, not a model's configuration");
            }

            if (Array.Find(SizeKeys, key => !document.RootElement.TryGetProperty(key, out _)) is { } missing)
            {
                throw new PermanentException($"{path}: the key \"{missing}\" is missing; without it the model's sizes are not known");
            }

            HuggingFaceConfig config = document.Deserialize<HuggingFaceConfig>(Json)!;
            config.Check(path);
            return config;
        }
        catch (Exception fault) when (fault is JsonException or FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PermanentException($"{path}: not a model's configuration: {fault.Message}", fault);
        }
    }

    private void Check(string path)
    {
        Require(ModelType == "electra", "model_type", ModelType, "\"electra\"");
        Require(HiddenAct == "gelu", "hidden_act", HiddenAct, "\"gelu\"");
        Require(PositionEmbeddingType == "absolute", "position_embedding_type", PositionEmbeddingType, "\"absolute\"");
        Require(VocabSize > 0, "vocab_size", VocabSize, "at least 1");
        Require(EmbeddingSize > 0, "embedding_size", EmbeddingSize, "at least 1");
        Require(HiddenSize > 0, "hidden_size", HiddenSize, "at least 1");
        Require(NumHiddenLayers > 0, "num_hidden_layers", NumHiddenLayers, "at least 1");
        Require(IntermediateSize > 0, "intermediate_size", IntermediateSize, "at least 1");
        Require(MaxPositionEmbeddings > 0, "max_position_embeddings", MaxPositionEmbeddings, "at least 1");
        Require(TypeVocabSize > 0, "type_vocab_size", TypeVocabSize, "at least 1");
        bool divides = NumAttentionHeads > 0 && HiddenSize % NumAttentionHeads == 0;
        Require(divides, "num_attention_heads", NumAttentionHeads, $"a divisor of {HiddenSize}");

        void Require(bool holds, string key, object value, string expected)
        {
            if (!holds)
            {
                throw new PermanentException($"{path}: {key} is {value}; this program computes models where it is {expected}");
            }
        }
    }
}
