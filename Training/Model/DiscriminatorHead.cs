using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>Replaced-token detection's head: dense, GELU, dense to one logit a token.</summary>
internal sealed class DiscriminatorHead(ParameterStore store, string prefix)
{
    private readonly DenseLayer dense = new(store, prefix + "discriminator_predictions.dense");
    private readonly DenseLayer prediction = new(store, prefix + "discriminator_predictions.dense_prediction");

    /// <summary>Declares the head's parameters.</summary>
    public static void Declare(ParameterLayout.Builder layout, string prefix, ElectraConfig config)
    {
        int size = config.Discriminator.HiddenSize;
        layout.AddLinear(prefix + "discriminator_predictions.dense", size, size);
        layout.AddLinear(prefix + "discriminator_predictions.dense_prediction", 1, size, InitialValue.DetectionWeight);
    }

    /// <summary>Whether a state-dict name is one of this head's.</summary>
    public static bool IsOwn(string name) => name.StartsWith("discriminator_predictions.", StringComparison.Ordinal);

    /// <summary>Logits [N] of 'this token was replaced', from hidden states [N, H].</summary>
    public Tensor Forward(Tensor hidden) => prediction.Forward(gelu(dense.Forward(hidden))).squeeze(-1).As(ScalarType.Float32);
}
