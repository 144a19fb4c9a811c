using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>Word, position and segment embeddings, summed and layer-normed: the block that generator and discriminator share.</summary>
internal sealed class Embeddings(ParameterStore store, string prefix, ElectraConfig config)
{
    private readonly Parameter positions = store.Leaf(prefix + ".position_embeddings.weight");
    private readonly Parameter types = store.Leaf(prefix + ".token_type_embeddings.weight");
    private readonly Parameter scale = store.Leaf(prefix + ".LayerNorm.weight");
    private readonly Parameter shift = store.Leaf(prefix + ".LayerNorm.bias");
    private readonly long[] width = [config.EmbeddingSize];

    /// <summary>Word embeddings [V, E], which the generator's head uses transposed.</summary>
    public Parameter Words { get; } = store.Leaf(prefix + ".word_embeddings.weight");

    /// <summary>Declares the block's parameters.</summary>
    public static void Declare(ParameterLayout.Builder layout, string prefix, ElectraConfig config)
    {
        layout.Add(prefix + ".word_embeddings.weight", InitialValue.Embedding, config.VocabularySize, config.EmbeddingSize);
        layout.Add(prefix + ".position_embeddings.weight", InitialValue.Position, config.MaxPositions, config.EmbeddingSize);
        layout.Add(prefix + ".token_type_embeddings.weight", InitialValue.Embedding, config.TypeVocabularySize, config.EmbeddingSize);
        layout.AddLayerNorm(prefix + ".LayerNorm", config.EmbeddingSize);
    }

    /// <summary>Embeds a batch: [B * L, E].</summary>
    public Tensor Forward(EncoderInput input, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        Tensor sum = Words.index_select(0, input.Ids) + types.index_select(0, input.Types);
        sum = sum.view(input.BatchSize, input.Length, -1) + positions.narrow(0, 0, input.Length);
        Tensor normed = layer_norm(sum, width, scale, shift, config.LayerNormEpsilon).view(-1, config.EmbeddingSize);
        Tensor result = dropout is null ? normed : dropout.Apply(normed, config.HiddenDropout);
        return result.MoveToOuterDisposeScope();
    }
}
