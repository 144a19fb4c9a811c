using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>BERT's encoder: layers of self-attention and feed-forward, each added to its input and then layer-normed.</summary>
internal sealed class TransformerEncoder
{
    private readonly TransformerLayer[] layers;

    /// <summary>Binds the parameters declared under <paramref name="prefix"/> ("electra.encoder").</summary>
    public TransformerEncoder(ParameterStore store, string prefix, EncoderConfig encoder, ElectraConfig config) =>
        layers = [.. Enumerable.Range(0, encoder.Layers).Select(i => new TransformerLayer(store, $"{prefix}.layer.{i}", encoder, config))];

    /// <summary>Number of layers.</summary>
    public int Layers => layers.Length;

    /// <summary>Declares the parameters of all layers.</summary>
    public static void Declare(ParameterLayout.Builder layout, string prefix, EncoderConfig encoder)
    {
        for (int i = 0; i < encoder.Layers; i++)
        {
            TransformerLayer.Declare(layout, $"{prefix}.layer.{i}", encoder);
        }
    }

    /// <summary>Runs all layers: [B * L, H] to [B * L, H].</summary>
    /// <param name="hidden">The embedded (and projected) input.</param>
    /// <param name="input">The batch, for its shape and padding.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none, as in evaluation.</param>
    /// <param name="hiddenStates">If given, receives the input and the output of each layer.</param>
    public Tensor Forward(Tensor hidden, EncoderInput input, DropoutStream? dropout, List<Tensor>? hiddenStates = null)
    {
        hiddenStates?.Add(hidden);
        foreach (TransformerLayer layer in layers)
        {
            hidden = layer.Forward(hidden, input, dropout);
            hiddenStates?.Add(hidden);
        }

        return hidden;
    }

    /// <summary>Runs one layer; parameters as for <see cref="Forward"/>.</summary>
    public Tensor ForwardLayer(int index, Tensor hidden, EncoderInput input, DropoutStream? dropout) =>
        layers[index].Forward(hidden, input, dropout);

    private sealed class TransformerLayer(ParameterStore store, string prefix, EncoderConfig encoder, ElectraConfig config)
    {
        private readonly SelfAttention attention = new(store, prefix, encoder, config.AttentionDropout);
        private readonly Parameter attentionScale = store.Leaf(prefix + ".attention.output.LayerNorm.weight");
        private readonly Parameter attentionShift = store.Leaf(prefix + ".attention.output.LayerNorm.bias");
        private readonly DenseLayer intermediate = new(store, prefix + ".intermediate.dense");
        private readonly DenseLayer output = new(store, prefix + ".output.dense");
        private readonly Parameter outputScale = store.Leaf(prefix + ".output.LayerNorm.weight");
        private readonly Parameter outputShift = store.Leaf(prefix + ".output.LayerNorm.bias");
        private readonly long[] width = [encoder.HiddenSize];

        public static void Declare(ParameterLayout.Builder layout, string prefix, EncoderConfig encoder)
        {
            SelfAttention.Declare(layout, prefix, encoder);
            layout.AddLayerNorm(prefix + ".attention.output.LayerNorm", encoder.HiddenSize);
            layout.AddLinear(prefix + ".intermediate.dense", encoder.IntermediateSize, encoder.HiddenSize);
            layout.AddLinear(prefix + ".output.dense", encoder.HiddenSize, encoder.IntermediateSize);
            layout.AddLayerNorm(prefix + ".output.LayerNorm", encoder.HiddenSize);
        }

        public Tensor Forward(Tensor hidden, EncoderInput input, DropoutStream? dropout)
        {
            using var scope = NewDisposeScope();
            Tensor attended = Drop(attention.Forward(hidden, input, dropout), dropout);
            Tensor middle = layer_norm(attended.Plus(hidden), width, attentionScale, attentionShift, config.LayerNormEpsilon);
            Tensor outer = Drop(output.Forward(gelu(intermediate.Forward(middle))), dropout);
            return layer_norm(outer.Plus(middle), width, outputScale, outputShift, config.LayerNormEpsilon).MoveToOuterDisposeScope();
        }

        private Tensor Drop(Tensor value, DropoutStream? dropout) => dropout?.Apply(value, config.HiddenDropout) ?? value;
    }
}
