namespace ElectraPipeline.Training.Checkpoints;

/// <summary>Hugging Face's ELECTRA classes, and the tensors that each holds.</summary>
public static class ElectraArchitecture
{
    /// <summary>The discriminator with its replaced-token head.</summary>
    public const string PreTraining = "ElectraForPreTraining";

    /// <summary>The generator with its masked-language-model head.</summary>
    public const string MaskedLanguageModel = "ElectraForMaskedLM";

    /// <summary>The discriminator with a head over the whole text.</summary>
    public const string SequenceClassification = "ElectraForSequenceClassification";

    /// <summary>The discriminator with a head over every token.</summary>
    public const string TokenClassification = "ElectraForTokenClassification";

    /// <summary>The discriminator with a head for the answer's first and last token.</summary>
    public const string QuestionAnswering = "ElectraForQuestionAnswering";

    /// <summary>The discriminator with a head that scores each of several texts.</summary>
    public const string MultipleChoice = "ElectraForMultipleChoice";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } =
    [PreTraining, MaskedLanguageModel, SequenceClassification, TokenClassification, QuestionAnswering, MultipleChoice];

    /// <summary>
    /// The class whose head is among these names, for folders that do not say; null: there is no head, or one of another library.
    /// </summary>
    internal static string? Guess(IReadOnlyCollection<string> names) =>
        names switch
        {
            _ when names.Contains("discriminator_predictions.dense.weight") => PreTraining,
            _ when names.Contains("generator_predictions.dense.weight") => MaskedLanguageModel,
            _ when names.Contains("classifier.out_proj.weight") => SequenceClassification,
            _ when names.Contains("sequence_summary.summary.weight") => MultipleChoice,
            _ when names.Contains("classifier.weight") => TokenClassification,
            _ when names.Contains("qa_outputs.weight") => QuestionAnswering,
            _ => null,
        };

    /// <summary>Names that a file may hold and that say nothing: buffers of old versions, and the tied output weight.</summary>
    internal static bool IsRedundant(string name) =>
        name is "electra.embeddings.position_ids" or "generator_lm_head.weight" or "generator_lm_head.decoder.weight";

    /// <summary>Whether a name belongs to the encoder, and not to a head or to what says nothing.</summary>
    internal static bool IsOfEncoder(string name) => name.StartsWith("electra.", StringComparison.Ordinal) && !IsRedundant(name);

    /// <summary>Names and shapes of a model's tensors, in Hugging Face's order.</summary>
    internal static IReadOnlyList<(string Name, long[] Shape)> Tensors(HuggingFaceConfig config, string architecture) =>
        [.. Encoder(config), .. Head(config, architecture)];

    /// <summary>Names and shapes of the tensors that every class has.</summary>
    internal static IReadOnlyList<(string Name, long[] Shape)> Encoder(HuggingFaceConfig config) =>
        [.. Embeddings(config), .. Enumerable.Range(0, config.NumHiddenLayers).SelectMany(layer => Layer(config, layer))];

    private static IEnumerable<(string Name, long[] Shape)> Embeddings(HuggingFaceConfig config)
    {
        const string Prefix = "electra.embeddings.";
        yield return (Prefix + "word_embeddings.weight", [config.VocabSize, config.EmbeddingSize]);
        yield return (Prefix + "position_embeddings.weight", [config.MaxPositionEmbeddings, config.EmbeddingSize]);
        yield return (Prefix + "token_type_embeddings.weight", [config.TypeVocabSize, config.EmbeddingSize]);
        yield return (Prefix + "LayerNorm.weight", [config.EmbeddingSize]);
        yield return (Prefix + "LayerNorm.bias", [config.EmbeddingSize]);
        if (config.EmbeddingSize != config.HiddenSize)
        {
            yield return ("electra.embeddings_project.weight", [config.HiddenSize, config.EmbeddingSize]);
            yield return ("electra.embeddings_project.bias", [config.HiddenSize]);
        }
    }

    private static IEnumerable<(string Name, long[] Shape)> Layer(HuggingFaceConfig config, int layer)
    {
        string prefix = $"electra.encoder.layer.{layer}.";
        long hidden = config.HiddenSize;
        long inner = config.IntermediateSize;
        return
        [
            .. Dense(prefix + "attention.self.query", hidden, hidden),
            .. Dense(prefix + "attention.self.key", hidden, hidden),
            .. Dense(prefix + "attention.self.value", hidden, hidden),
            .. Dense(prefix + "attention.output.dense", hidden, hidden),
            .. Norm(prefix + "attention.output.LayerNorm", hidden),
            .. Dense(prefix + "intermediate.dense", inner, hidden),
            .. Dense(prefix + "output.dense", hidden, inner),
            .. Norm(prefix + "output.LayerNorm", hidden),
        ];
    }

    private static IEnumerable<(string Name, long[] Shape)> Head(HuggingFaceConfig config, string architecture) =>
        architecture switch
        {
            PreTraining =>
            [
                .. Dense("discriminator_predictions.dense", config.HiddenSize, config.HiddenSize),
                .. Dense("discriminator_predictions.dense_prediction", 1, config.HiddenSize),
            ],
            MaskedLanguageModel =>
            [
                .. Norm("generator_predictions.LayerNorm", config.EmbeddingSize),
                .. Dense("generator_predictions.dense", config.EmbeddingSize, config.HiddenSize),
                ("generator_lm_head.bias", [config.VocabSize]),
            ],
            SequenceClassification =>
            [
                .. Dense("classifier.dense", config.HiddenSize, config.HiddenSize),
                .. Dense("classifier.out_proj", config.Labels.Count, config.HiddenSize),
            ],
            TokenClassification => Dense("classifier", config.Labels.Count, config.HiddenSize),
            QuestionAnswering => Dense("qa_outputs", 2, config.HiddenSize),
            MultipleChoice =>
            [
                .. Dense("sequence_summary.summary", config.HiddenSize, config.HiddenSize),
                .. Dense("classifier", 1, config.HiddenSize),
            ],
            _ => throw new ArgumentException($"unknown architecture \"{architecture}\"", nameof(architecture)),
        };

    private static IEnumerable<(string Name, long[] Shape)> Dense(string name, long outputs, long inputs) =>
        [(name + ".weight", [outputs, inputs]), (name + ".bias", [outputs])];

    private static IEnumerable<(string Name, long[] Shape)> Norm(string name, long size) =>
        [(name + ".weight", [size]), (name + ".bias", [size])];
}
