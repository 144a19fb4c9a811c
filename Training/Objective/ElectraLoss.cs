using ElectraPipeline.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>What the generator's loss came to on a micro-batch.</summary>
/// <param name="Sum">Sum of the negative log-likelihoods of the masked tokens, in nats.</param>
/// <param name="Correct">Masked tokens that the generator holds most likely.</param>
/// <param name="Samples">A token drawn for each masked position, [K].</param>
internal sealed record GeneratorLoss(double Sum, int Correct, int[] Samples);

/// <summary>The two losses of ELECTRA (section 2, equations for L_MLM and L_Disc).</summary>
internal static class ElectraLoss
{
    /// <summary>Keeps an empty batch from dividing by zero, as in the official code.</summary>
    public const double Epsilon = 1e-6;

    // 16 MB of logits: a matrix product of full speed that still stays near the cache.
    private const int ElementsAtOnce = 4 << 20;

    /// <summary>
    /// Masked language modeling over the masked positions, with a token drawn for each. Works through the rows in chunks, so that the
    /// [K, V] logits never exist as a whole, and writes the gradient by hand: that of the output weight and bias is added at once to
    /// theirs, that of the states is returned.
    /// </summary>
    /// <param name="head">The generator's head.</param>
    /// <param name="transformed">Transformed states of the masked positions, [K, E].</param>
    /// <param name="labels">Their original tokens, [K].</param>
    /// <param name="scale">What each position's loss is multiplied by in the total; null: no gradient is wanted.</param>
    /// <param name="sampler">Draws the replacements, without gradient.</param>
    /// <param name="gradient">Gradient of the states, [K, E]; null where none is wanted. Belongs to the caller's dispose scope.</param>
    public static GeneratorLoss MaskedLanguageModeling(
        GeneratorHead head, Tensor transformed, int[] labels, double? scale, ITokenSampler sampler, out Tensor? gradient)
    {
        using IDisposable noGrad = no_grad();
        gradient = scale is null ? null : empty_like(transformed);
        int vocabulary = (int)head.OutputBias.shape[0];
        int rowsAtOnce = Math.Clamp(ElementsAtOnce / vocabulary, 64, 4_096);
        var samples = new int[labels.Length];
        double sum = 0;
        int correct = 0;
        for (int first = 0; first < labels.Length; first += rowsAtOnce)
        {
            using var scope = NewDisposeScope();
            int rows = Math.Min(rowsAtOnce, labels.Length - first);
            Tensor states = transformed.narrow(0, first, rows);
            Tensor label = tensor(Array.ConvertAll(labels[first..(first + rows)], id => (long)id), device: states.device).unsqueeze(1);
            Tensor logits = head.Decode(states);
            Tensor logProbabilities = nn.functional.log_softmax(logits, -1);
            Tensor likelihood = logProbabilities.gather(1, label);
            sum -= likelihood.sum(ScalarType.Float64).ToDouble();
            correct += (int)(likelihood.squeeze(1) >= logProbabilities.amax(1)).sum().ToInt64();
            Tensor probabilities = logProbabilities.exp_();
            sampler.Sample(logits, probabilities, first, samples.AsSpan(first, rows));
            if (scale is { } factor)
            {
                AddGradients(head, states, probabilities, label, (float)factor, gradient!.narrow(0, first, rows));
            }
        }

        return new GeneratorLoss(sum, correct, samples);
    }

    /// <summary>Replaced-token detection: the sum of binary cross-entropies over all real tokens, [CLS] and [SEP] included.</summary>
    /// <param name="logits">The discriminator's logits, [B * L].</param>
    /// <param name="replaced">1 where the token was replaced, [B * L].</param>
    /// <param name="real">1 at real tokens, 0 at padding, [B * L].</param>
    public static Tensor ReplacedTokenDetection(Tensor logits, Tensor replaced, Tensor real) =>
        nn.functional.binary_cross_entropy_with_logits(logits, replaced, real, nn.Reduction.Sum);

    /// <summary>The softmax's gradient is probability - 1 at the label and the probability elsewhere.</summary>
    private static void AddGradients(
        GeneratorHead head, Tensor states, Tensor probabilities, Tensor label, float scale, Tensor stateGradient)
    {
        probabilities.scatter_add_(1, label, full_like(label, -1, ScalarType.Float32));
        stateGradient.copy_(probabilities.mm(head.OutputWeight).mul_(scale));
        head.OutputWeight.grad!.addmm_(probabilities.t(), states, 1, scale);
        head.OutputBias.grad!.add_(probabilities.sum(dim: 0L), scale);
    }
}
