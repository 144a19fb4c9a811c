using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>
/// One pass of a batch through an encoder, forwards and backwards, either in one graph, or as gradient checkpointing (Chen et al. 2016):
/// only each layer's input is kept, and going back the layer is run again with the same dropout.
/// </summary>
/// <remarks>
/// Activations of a layer are about 12 + 2 L / H times its input, so that recomputing cuts memory to little more than one layer's for a
/// third more time. Its tensors belong to the dispose scope it was made in.
/// </remarks>
internal sealed class EncoderPass
{
    private readonly TransformerEncoder? encoder;
    private readonly EncoderInput? input;
    private readonly DropoutStream? dropout;
    private readonly Tensor? embedded;
    private readonly List<(Tensor Input, ulong DropoutPosition)> layers = [];

    /// <summary>A pass whose graph autograd keeps.</summary>
    public EncoderPass(Tensor hidden) => Hidden = hidden;

    /// <summary>Runs the layers without a graph and remembers what each was given.</summary>
    /// <param name="encoder">The layers.</param>
    /// <param name="embedded">Their input, [B * L, H], with its graph.</param>
    /// <param name="input">The batch.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none.</param>
    public EncoderPass(TransformerEncoder encoder, Tensor embedded, EncoderInput input, DropoutStream? dropout)
    {
        (this.encoder, this.embedded, this.input, this.dropout) = (encoder, embedded, input, dropout);
        using IDisposable noGrad = no_grad();
        Tensor hidden = embedded.detach();
        for (int i = 0; i < encoder.Layers; i++)
        {
            layers.Add((hidden, dropout?.Mark() ?? 0));
            hidden = encoder.ForwardLayer(i, hidden, input, dropout);
        }

        Hidden = hidden.detach();
        Hidden.requires_grad = true;
    }

    /// <summary>The last hidden states, [B * L, H], to compute a loss from.</summary>
    public Tensor Hidden { get; }

    /// <summary>Carries the gradient of <see cref="Hidden"/> on to the parameters; call it after the loss's backward pass.</summary>
    public void Backward()
    {
        if (encoder is null || Hidden.grad is not { } gradient)
        {
            return;
        }

        for (int i = layers.Count - 1; i >= 0; i--)
        {
            using var scope = NewDisposeScope();
            Tensor start = layers[i].Input.detach();
            start.requires_grad = true;
            dropout?.Rewind(layers[i].DropoutPosition);
            encoder.ForwardLayer(i, start, input!, dropout).backward([gradient]);
            gradient = start.grad!.MoveToOuterDisposeScope();
        }

        embedded!.backward([gradient]);
    }
}
