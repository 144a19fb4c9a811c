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
    /// <param name="replaced">1 where the token was replaced, [B * L].</param>
    /// <param name="weights">1 at tokens that count, else 0, [B * L].</param>
    /// <param name="scale">What the sum is multiplied by for the gradient; null: no gradient is wanted.</param>
    /// <param name="detected">Receives each counting token's logit and label; null: nobody wants them.</param>
    /// <param name="clock">Divides the time.</param>
    public static double Detect(
        Tensor logits, float[] replaced, float[] weights, double? scale, Action<float, bool>? detected, StepClock clock)
    {
        Device device = logits.device;
        Tensor loss = nn.functional.binary_cross_entropy_with_logits(
            logits, tensor(replaced, device: device), tensor(weights, device: device), nn.Reduction.Sum);
        if (scale is { } factor)
        {
            using StepClock.Section backward = clock.Enter(StepPart.Backward);
            loss.Times(factor).backward();
        }

        if (detected is not null)
        {
            Report(logits.cpu().data<float>().ToArray(), replaced, weights, detected);
        }

        return loss.item<float>();
    }

    private static void Report(float[] logits, float[] replaced, float[] weights, Action<float, bool> detected)
    {
        for (int i = 0; i < logits.Length; i++)
        {
            if (weights[i] == 1)
            {
                detected(logits[i], replaced[i] == 1);
            }
        }
    }
}
