using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>Replaced-token detection (ELECTRA section 2, the equation of L_Disc).</summary>
internal static class ElectraLoss
{
    /// <summary>Keeps an empty batch from dividing by zero, as in the official code.</summary>
    public const double Epsilon = 1e-6;

    /// <summary>
    /// The sum of binary cross-entropies over the tokens that count, in nats; with a <paramref name="scale"/> its backward pass too.
    /// </summary>
    /// <param name="logits">Logits of 'replaced', [B * L].</param>
    /// <param name="replaced">1 where the token was replaced, float32 [B * L].</param>
    /// <param name="weights">1 at tokens that count, else 0, float32 [B * L].</param>
    /// <param name="scale">What the sum is multiplied by for the gradient; null: no gradient is wanted.</param>
    /// <param name="detected">Receives each counting token's logit and label; null: nobody wants them.</param>
    /// <param name="clock">Divides the time.</param>
    public static Tensor Detect(
        Tensor logits,
        Tensor replaced,
        Tensor weights,
        double? scale,
        Action<float, bool>? detected,
        StepClock clock
    )
    {
        Tensor loss = nn.functional.binary_cross_entropy_with_logits(logits, replaced, weights, nn.Reduction.Sum);
        if (scale is { } factor)
        {
            using StepClock.Section backward = clock.Enter(StepPart.Backward);
            loss.Times(factor).backward();
        }

        if (detected is not null)
        {
            Report(logits, replaced, weights, detected);
        }

        return loss.detach();
    }

    /// <summary>Gives each counting token's logit and label to whoever wants them; waits for the device.</summary>
    public static void Report(Tensor logits, Tensor replaced, Tensor weights, Action<float, bool> detected)
    {
        using var scope = NewDisposeScope();
        float[] logit = logits.cpu().data<float>().ToArray(),
            label = replaced.cpu().data<float>().ToArray();
        float[] weight = weights.cpu().data<float>().ToArray();
        for (int i = 0; i < logit.Length; i++)
        {
            if (weight[i] == 1)
            {
                detected(logit[i], label[i] == 1);
            }
        }
    }
}
