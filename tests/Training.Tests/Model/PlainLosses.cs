using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Training.Tests.Model;

/// <summary>ELECTRA's two losses of a masked batch and the tokens drawn for it, by <see cref="PlainElectra"/>.</summary>
internal static class PlainLosses
{
    /// <summary>Means over the masked tokens, and over the real ones.</summary>
    public static (double Generator, double Discriminator) Of(
        PlainElectra generator,
        PlainElectra discriminator,
        MaskedBatch batch,
        int[] samples
    )
    {
        double masked = 0,
            detected = 0;
        for (int b = 0; b < batch.Count; b++)
        {
            int start = b * batch.Length,
                length = batch.Lengths[b];
            int[] types = [.. Enumerable.Range(0, length).Select(i => i < batch.SecondSegments[b] ? 0 : 1)];
            int[] text = batch.OriginalIds[start..(start + length)],
                corrupted = [.. text];
            double[][] guessing = generator.Encode(batch.MaskedIds[start..(start + length)], types)[^1];
            foreach ((int index, int position) in batch.Positions.Index().Where(item => item.Item / batch.Length == b))
            {
                double[] logits = generator.Predict(guessing[position - start]);
                masked += PlainElectra.LogSumExp(logits) - logits[text[position - start]];
                corrupted[position - start] = samples[index];
            }

            double[][] reading = discriminator.Encode(corrupted, types)[^1];
            detected += Enumerable
                .Range(0, length)
                .Sum(i =>
                    Math.Log(1 + Math.Exp(corrupted[i] == text[i] ? discriminator.Detect(reading[i]) : -discriminator.Detect(reading[i])))
                );
        }

        return (masked / batch.Positions.Length, detected / batch.Tokens);
    }
}
