using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>The masked language model's head: dense, GELU, layer norm, then the word embeddings transposed and a bias.</summary>
internal sealed class LanguageModelHead(ParameterStore store, string prefix, ElectraConfig config, Embeddings embeddings)
{
    private readonly DenseLayer dense = new(store, prefix + "generator_predictions.dense");
    private readonly Parameter scale = store.Leaf(prefix + "generator_predictions.LayerNorm.weight");
    private readonly Parameter shift = store.Leaf(prefix + "generator_predictions.LayerNorm.bias");
    private readonly long[] width = [embeddings.Size];

    /// <summary>What the logits' product is computed in.</summary>
    public ScalarType ProductType { get; } = store.ProductType;

    /// <summary>Output weights [V, E]: the word embeddings.</summary>
    public Parameter OutputWeight { get; } = embeddings.Words;

    /// <summary>Output bias [V].</summary>
    public Parameter OutputBias { get; } = store.Leaf(prefix + "generator_lm_head.bias");

    /// <summary>Declares the head's parameters.</summary>
    /// <param name="layout">Receives them.</param>
    /// <param name="prefix">Their names' prefix; the rest is Hugging Face's name, which says "generator" whosever head it is.</param>
    /// <param name="vocabularySize">V.</param>
    /// <param name="embeddingSize">E.</param>
    /// <param name="hiddenSize">Width H of the states it is given.</param>
    public static void Declare(ParameterLayout.Builder layout, string prefix, int vocabularySize, int embeddingSize, int hiddenSize)
    {
        layout.AddLayerNorm(prefix + "generator_predictions.LayerNorm", embeddingSize);
        layout.AddLinear(prefix + "generator_predictions.dense", embeddingSize, hiddenSize);
        layout.Add(prefix + "generator_lm_head.bias", InitialValue.Zero, vocabularySize);
    }

    /// <summary>From hidden states [K, H] to the embeddings' space [K, E].</summary>
    public Tensor Transform(Tensor hidden) =>
        layer_norm(gelu(dense.Forward(hidden)).As(ScalarType.Float32), width, scale, shift, config.LayerNormEpsilon);

    /// <summary>Logits [K, V] of transformed states [K, E].</summary>
    public Tensor Decode(Tensor transformed) => DenseLayer.Apply(transformed, OutputWeight, OutputBias, ProductType).As(ScalarType.Float32);
}
