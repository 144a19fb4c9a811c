using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Verification;

/// <summary>The task heads of a folder of reference numbers, each over an encoder of its own.</summary>
internal static class GoldenHeads
{
    private const string Prefix = "electra";

    /// <summary>
    /// What a head's model gives for a batch, under the names that the reference has: "logits" [B, C] or [B, L, C], for answers
    /// "start_logits" and "end_logits" [B, L].
    /// </summary>
    /// <exception cref="PermanentException">The folder holds another class of model.</exception>
    public static IReadOnlyList<(string Name, Tensor Value, bool PerToken)> Forward(string folder, EncoderInput input, Device device)
    {
        using HuggingFaceModel source = HuggingFaceFolder.Read(folder, ArchitectureOf(folder));
        Dictionary<string, Tensor> tensors = source.Tensors.ToDictionary(pair => pair.Key, pair => pair.Value.to(device));
        ElectraConfig config = ConfigOf(source.Config);
        using var store = new ParameterStore(Describe(config), device);
        foreach (ParameterSlot slot in store.Layout.Slots)
        {
            store.Value(slot.Name).copy_(tensors[slot.Name]);
        }

        var encoder = new ElectraEncoder(store, Prefix, new Embeddings(store, Prefix + ".embeddings", config), config.Discriminator, config);
        Tensor hidden = encoder.Forward(input, dropout: null).view(input.BatchSize, input.Length, -1);
        switch (ArchitectureOf(folder))
        {
            case ElectraArchitecture.SequenceClassification:
                return [("logits", Dense(gelu(Dense(hidden.select(1, 0), "classifier.dense")), "classifier.out_proj"), false)];
            case ElectraArchitecture.TokenClassification:
                return [("logits", Dense(hidden, "classifier"), true)];
            default:
                Tensor[] ends = Dense(hidden, "qa_outputs").unbind(-1);
                return [("start_logits", ends[0], true), ("end_logits", ends[1], true)];
        }

        Tensor Dense(Tensor states, string name) => linear(states, tensors[name + ".weight"], tensors[name + ".bias"]);
    }

    private static string ArchitectureOf(string folder)
    {
        string path = Path.Combine(folder, HuggingFaceFolder.ConfigName);
        string[] known = [ElectraArchitecture.SequenceClassification, ElectraArchitecture.TokenClassification, ElectraArchitecture.QuestionAnswering];
        IReadOnlyList<string> named = HuggingFaceConfig.Read(path).Architectures ?? [];
        return known.FirstOrDefault(named.Contains) ?? throw new PermanentException(
            $"{path}: architectures is [{string.Join(", ", named)}]; heads that are verified: {string.Join(", ", known)}");
    }

    private static ParameterLayout Describe(ElectraConfig config)
    {
        var layout = new ParameterLayout.Builder();
        Embeddings.Declare(layout, Prefix + ".embeddings", config);
        ElectraEncoder.Declare(layout, Prefix, config.Discriminator, config);
        return layout.Build();
    }

    private static ElectraConfig ConfigOf(HuggingFaceConfig config)
    {
        var encoder = new EncoderConfig
        {
            Layers = config.NumHiddenLayers,
            HiddenSize = config.HiddenSize,
            IntermediateSize = config.IntermediateSize,
            AttentionHeads = config.NumAttentionHeads,
        };
        return new ElectraConfig
        {
            VocabularySize = config.VocabSize,
            EmbeddingSize = config.EmbeddingSize,
            MaxPositions = config.MaxPositionEmbeddings,
            TypeVocabularySize = config.TypeVocabSize,
            Discriminator = encoder,
            Generator = encoder,
            LayerNormEpsilon = config.LayerNormEps,
        };
    }
}
