using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>Multi-head self-attention with its output layer; query, key and value are one matrix product.</summary>
internal sealed class SelfAttention
{
    private readonly DenseLayer input;
    private readonly DenseLayer output;
    private readonly int heads;
    private readonly int headSize;
    private readonly double dropoutRate;

    /// <summary>Binds the parameters declared under a layer's prefix.</summary>
    public SelfAttention(ParameterStore store, string prefix, EncoderConfig encoder, double dropoutRate)
    {
        input = new DenseLayer(store, prefix + ".attention.self.query"); // key and value lie behind it
        output = new DenseLayer(store, prefix + ".attention.output.dense");
        heads = encoder.AttentionHeads;
        headSize = encoder.HiddenSize / encoder.AttentionHeads;
        this.dropoutRate = dropoutRate;
    }

    /// <summary>Declares the parameters under a layer's prefix.</summary>
    public static void Declare(ParameterLayout.Builder layout, string prefix, EncoderConfig encoder)
    {
        string self = prefix + ".attention.self.";
        int size = encoder.HiddenSize;
        layout.AddStacked([self + "query.weight", self + "key.weight", self + "value.weight"], InitialValue.Weight, size, size);
        layout.AddStacked([self + "query.bias", self + "key.bias", self + "value.bias"], InitialValue.Zero, size);
        layout.AddLinear(prefix + ".attention.output.dense", size, size);
    }

    /// <summary>Attends over the sequence: [B * L, H] to [B * L, H].</summary>
    public Tensor Forward(Tensor hidden, EncoderInput batch, DropoutStream? dropout)
    {
        Tensor joined = input.Forward(hidden).view(batch.BatchSize, batch.Length, 3, heads, headSize);
        Tensor[] parts = joined.unbind(2);
        Tensor query = parts[0].transpose(1, 2),
            key = parts[1].transpose(1, 2),
            value = parts[2].transpose(1, 2);
        Tensor context =
            dropout is null || dropoutRate == 0 ? Fused(query, key, value, batch, 0)
            : hidden.device_type == DeviceType.CPU ? Separate(query, key, value, batch, dropout)
            : FusedWithDropout(query, key, value, batch, dropout);
        return output.Forward(context.transpose(1, 2).reshape(-1, heads * headSize));
    }

    private static Tensor Fused(Tensor query, Tensor key, Tensor value, EncoderInput batch, double rate) =>
        scaled_dot_product_attention(query, key, value, batch.AttentionBias?.As(query.dtype), rate);

    private Tensor FusedWithDropout(Tensor query, Tensor key, Tensor value, EncoderInput batch, DropoutStream dropout)
    {
        dropout.SeedDevice();
        return Fused(query, key, value, batch, dropoutRate);
    }

    /// <summary>
    /// The same by separate operations, for dropout of the probabilities on the CPU: there the fused kernel would draw it from LibTorch's
    /// one generator, which all threads share.
    /// </summary>
    private Tensor Separate(Tensor query, Tensor key, Tensor value, EncoderInput batch, DropoutStream dropout)
    {
        long groups = batch.BatchSize * heads;
        Tensor scores = bmm(Flatten(query), Flatten(key).transpose(1, 2)).Times(1 / Math.Sqrt(headSize));
        scores = scores.view(batch.BatchSize, heads, batch.Length, batch.Length);
        Tensor biased = batch.AttentionBias is { } bias ? scores.Plus(bias) : scores;
        Tensor kept = dropout.Apply(softmax(biased.As(ScalarType.Float32), -1), dropoutRate).view(groups, batch.Length, batch.Length);
        return bmm(kept.As(value.dtype), Flatten(value)).view(batch.BatchSize, heads, batch.Length, headSize);

        Tensor Flatten(Tensor part) => part.reshape(groups, batch.Length, headSize);
    }
}
