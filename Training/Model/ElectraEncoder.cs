using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>Embeddings, the projection to the encoder's width where the widths differ, and the encoder.</summary>
internal sealed class ElectraEncoder
{
    private readonly Parameter? projectionWeight;
    private readonly Parameter? projectionBias;
    private readonly TransformerEncoder encoder;

    /// <summary>Binds the parameters under <paramref name="prefix"/> to embeddings that may belong to another encoder.</summary>
    public ElectraEncoder(ParameterStore store, string prefix, Embeddings embeddings, EncoderConfig sizes, ElectraConfig config)
    {
        Embeddings = embeddings;
        encoder = new TransformerEncoder(store, prefix + ".encoder", sizes, config);
        if (sizes.HiddenSize != config.EmbeddingSize)
        {
            projectionWeight = store.Leaf(prefix + ".embeddings_project.weight");
            projectionBias = store.Leaf(prefix + ".embeddings_project.bias");
        }
    }

    /// <summary>The embedding block.</summary>
    public Embeddings Embeddings { get; }

    /// <summary>Declares projection and encoder, not the embeddings.</summary>
    public static void Declare(ParameterLayout.Builder layout, string prefix, EncoderConfig sizes, ElectraConfig config)
    {
        if (sizes.HiddenSize != config.EmbeddingSize)
        {
            layout.AddLinear(prefix + ".embeddings_project", sizes.HiddenSize, config.EmbeddingSize, InitialValue.GlorotWeight);
        }

        TransformerEncoder.Declare(layout, prefix + ".encoder", sizes);
    }

    /// <summary>The last hidden states of a batch, [B * L, H].</summary>
    /// <param name="input">The batch.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none.</param>
    /// <param name="hiddenStates">If given, receives the encoder's input and the output of each layer.</param>
    public Tensor Forward(EncoderInput input, DropoutStream? dropout, List<Tensor>? hiddenStates = null)
    {
        Tensor embedded = Embeddings.Forward(input, dropout);
        Tensor projected = projectionWeight is null ? embedded : linear(embedded, projectionWeight, projectionBias!);
        return encoder.Forward(projected, input, dropout, hiddenStates);
    }
}
