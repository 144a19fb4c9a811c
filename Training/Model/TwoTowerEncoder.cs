using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Model;

/// <summary>
/// Electric's generator (Clark et al. 2020, "Pre-training transformers as energy-based cloze models", section 2.3): one encoder reads
/// from the left, one from the right, and a token is predicted from what both know of the tokens beside it, so that all tokens are
/// predicted at once and none sees itself.
/// </summary>
internal sealed class TwoTowerEncoder
{
    private const string LeftName = "left_to_right";
    private const string RightName = "right_to_left";
    private readonly ElectraEncoder left;
    private readonly ElectraEncoder right;

    /// <summary>Binds the parameters of both towers under <paramref name="prefix"/>.</summary>
    public TwoTowerEncoder(ParameterStore store, string prefix, Embeddings embeddings, EncoderConfig sizes, ElectraConfig config)
    {
        left = new ElectraEncoder(store, prefix + LeftName, embeddings, sizes, config);
        right = new ElectraEncoder(store, prefix + RightName, embeddings, sizes, config);
    }

    /// <summary>Declares both towers; parameters as for <see cref="ElectraEncoder.Declare"/>.</summary>
    public static void Declare(ParameterLayout.Builder layout, string prefix, EncoderConfig sizes, ElectraConfig config, int embeddingSize)
    {
        ElectraEncoder.Declare(layout, prefix + LeftName, sizes, config, embeddingSize);
        ElectraEncoder.Declare(layout, prefix + RightName, sizes, config, embeddingSize);
    }

    /// <summary>What is known of each token from those beside it, [B * L, 2 H]; zeros where there are none.</summary>
    public Tensor Forward(EncoderInput input, DropoutStream? dropout)
    {
        Tensor before = Sequence(left.Forward(input.ReadingFrom(left: true), dropout), input);
        Tensor after = Sequence(right.Forward(input.ReadingFrom(left: false), dropout), input);
        if (input.AttentionBias is { } bias)
        {
            // Beside the last token is padding, which would read the whole text and the rest of the batch's lengths with it.
            after *= bias.view(input.BatchSize, input.Length, 1).logical_not();
        }

        before = pad(before.narrow(1, 0, input.Length - 1), [0, 0, 1, 0]);
        after = pad(after.narrow(1, 1, input.Length - 1), [0, 0, 0, 1]);
        return cat([before, after], -1).view(input.BatchSize * input.Length, -1);
    }

    private static Tensor Sequence(Tensor states, EncoderInput input) => states.view(input.BatchSize, input.Length, -1);
}
