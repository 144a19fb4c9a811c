using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>Embeddings, the projection to the encoder's width where the widths differ, and the encoder.</summary>
internal sealed class ElectraEncoder
{
    private readonly DenseLayer? projection;
    private readonly TransformerEncoder encoder;

    /// <summary>Binds the parameters under <paramref name="prefix"/> to embeddings that may belong to another encoder.</summary>
    public ElectraEncoder(ParameterStore store, string prefix, Embeddings embeddings, EncoderConfig sizes, ElectraConfig config)
    {
        Embeddings = embeddings;
        encoder = new TransformerEncoder(store, prefix + ".encoder", sizes, config);
        if (sizes.HiddenSize != embeddings.Size)
        {
            projection = new DenseLayer(store, prefix + ".embeddings_project");
        }
    }

    /// <summary>The embedding block.</summary>
    public Embeddings Embeddings { get; }

    /// <summary>Declares projection and encoder, not the embeddings.</summary>
    /// <param name="layout">Receives them.</param>
    /// <param name="prefix">Their names' prefix.</param>
    /// <param name="sizes">The encoder's sizes.</param>
    /// <param name="config">The model's.</param>
    /// <param name="embeddingSize">Width of its embeddings; null: the main model's.</param>
    public static void Declare(
        ParameterLayout.Builder layout,
        string prefix,
        EncoderConfig sizes,
        ElectraConfig config,
        int? embeddingSize = null
    )
    {
        int inputs = embeddingSize ?? config.EmbeddingSize;
        if (sizes.HiddenSize != inputs)
        {
            layout.AddLinear(prefix + ".embeddings_project", sizes.HiddenSize, inputs, InitialValue.GlorotWeight);
        }

        TransformerEncoder.Declare(layout, prefix + ".encoder", sizes);
    }

    /// <summary>The last hidden states of a batch, [B * L, H].</summary>
    /// <param name="input">The batch.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none.</param>
    /// <param name="hiddenStates">If given, receives the encoder's input and the output of each layer.</param>
    public Tensor Forward(EncoderInput input, DropoutStream? dropout, List<Tensor>? hiddenStates = null) =>
        encoder.Forward(Embed(input, dropout), input, dropout, hiddenStates);

    /// <summary>
    /// The same for training; if <paramref name="recompute"/>, no layer's inner activations are kept: the backward pass computes them
    /// again, a layer at a time.
    /// </summary>
    public EncoderPass Run(EncoderInput input, DropoutStream? dropout, bool recompute)
    {
        Tensor embedded = Embed(input, dropout);
        return recompute && is_grad_enabled()
            ? new EncoderPass(encoder, embedded, input, dropout)
            : new EncoderPass(encoder.Forward(embedded, input, dropout));
    }

    private Tensor Embed(EncoderInput input, DropoutStream? dropout)
    {
        Tensor embedded = Embeddings.Forward(input, dropout);
        return projection?.Forward(embedded).As(ScalarType.Float32) ?? embedded;
    }
}
