using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>Multi-head self-attention with its output layer; query, key and value are one matrix product.</summary>
internal sealed class SelfAttention
{
    private readonly Parameter inputWeight;
    private readonly Parameter inputBias;
    private readonly Parameter outputWeight;
    private readonly Parameter outputBias;
    private readonly int heads;
    private readonly int headSize;
    private readonly double dropoutRate;

    /// <summary>Binds the parameters declared under a layer's prefix.</summary>
    public SelfAttention(ParameterStore store, string prefix, EncoderConfig encoder, double dropoutRate)
    {
        inputWeight = store.Leaf(prefix + ".attention.self.query.weight");
        inputBias = store.Leaf(prefix + ".attention.self.query.bias");
        outputWeight = store.Leaf(prefix + ".attention.output.dense.weight");
        outputBias = store.Leaf(prefix + ".attention.output.dense.bias");
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
    public Tensor Forward(Tensor hidden, EncoderInput input, DropoutStream? dropout)
    {
        Tensor joined = linear(hidden, inputWeight, inputBias).view(input.BatchSize, input.Length, 3, heads, headSize);
        Tensor[] parts = joined.unbind(2);
        Tensor query = parts[0].transpose(1, 2), key = parts[1].transpose(1, 2), value = parts[2].transpose(1, 2);
        Tensor context = dropout is null || dropoutRate == 0
            ? scaled_dot_product_attention(query, key, value, input.AttentionBias)
            : AttendWithDropout(query, key, value, input, dropout);
        return linear(context.transpose(1, 2).reshape(-1, heads * headSize), outputWeight, outputBias);
    }

    /// <summary>
    /// The same by separate operations, for dropout of the probabilities: the fused kernel would draw it from LibTorch's shared generator.
    /// </summary>
    private Tensor AttendWithDropout(Tensor query, Tensor key, Tensor value, EncoderInput input, DropoutStream dropout)
    {
        long groups = input.BatchSize * heads;
        Tensor scores = bmm(Flatten(query), Flatten(key).transpose(1, 2)).Times(1 / Math.Sqrt(headSize));
        scores = scores.view(input.BatchSize, heads, input.Length, input.Length);
        Tensor probabilities = softmax(input.AttentionBias is { } bias ? scores.Plus(bias) : scores, -1);
        Tensor kept = dropout.Apply(probabilities, dropoutRate).view(groups, input.Length, input.Length);
        return bmm(kept, Flatten(value)).view(input.BatchSize, heads, input.Length, headSize);

        Tensor Flatten(Tensor part) => part.reshape(groups, input.Length, headSize);
    }
}
