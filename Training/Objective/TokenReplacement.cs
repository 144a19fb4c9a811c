using System.Numerics;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>Where the tokens come from that replace masked ones.</summary>
internal interface ITokenSampler
{
    /// <summary>Draws a token for some rows of a batch's masked positions.</summary>
    /// <param name="logits">The generator's logits of the rows, [R, V]; not to be changed.</param>
    /// <param name="probabilities">Their softmax, [R, V]; not to be changed.</param>
    /// <param name="firstRow">Index of the first of the rows among the batch's masked positions.</param>
    /// <param name="samples">Receives the tokens, [R].</param>
    void Sample(Tensor logits, Tensor probabilities, int firstRow, Span<int> samples);
}

/// <summary>What the discriminator sees: the text with masked positions resampled.</summary>
/// <param name="Ids">Token ids, [B * L].</param>
/// <param name="Replaced">1 where the token differs from the text's, else 0, [B * L].</param>
internal sealed record CorruptedBatch(int[] Ids, float[] Replaced);

/// <summary>Draws replacements from softmax(logits / temperature) by inverting its cumulative distribution, one uniform number a row.</summary>
/// <remarks>
/// The official code takes argmax(logits / T + Gumbel noise), which has the same distribution but needs V random numbers a row.
/// </remarks>
internal sealed class TokenReplacement : ITokenSampler
{
    private const int Block = 128;
    private readonly MaskedBatch batch;
    private readonly double temperature;
    private readonly bool disallowCorrect;
    private readonly double[] uniforms;

    /// <summary>Prepares the draws of a batch: a function of (seed, step, example, order within the example).</summary>
    public TokenReplacement(MaskedBatch batch, ulong seed, long step, double temperature, bool disallowCorrect)
    {
        this.batch = batch;
        this.temperature = temperature;
        this.disallowCorrect = disallowCorrect;
        uniforms = Uniforms(batch, RandomPurpose.SeedFor(seed, RandomPurpose.Replacement), step);
    }

    /// <inheritdoc/>
    public void Sample(Tensor logits, Tensor probabilities, int firstRow, Span<int> samples)
    {
        using var scope = NewDisposeScope();
        Tensor used = temperature == 1 ? probabilities : nn.functional.softmax(logits / temperature, -1);
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(used.cpu().contiguous().bytes);
        int vocabulary = (int)used.shape[1];
        for (int row = 0; row < samples.Length; row++)
        {
            int excluded = disallowCorrect ? batch.OriginalIds[batch.Positions[firstRow + row]] : -1;
            samples[row] = Invert(values.Slice(row * vocabulary, vocabulary), uniforms[firstRow + row], excluded);
        }
    }

    /// <summary>
    /// The discriminator's input and labels. A position drawn several times gets the floored mean of its samples, an unrelated token:
    /// the official scatter_update does so.
    /// </summary>
    public static CorruptedBatch Corrupt(MaskedBatch batch, ReadOnlySpan<int> samples)
    {
        int[] ids = [.. batch.OriginalIds];
        Dictionary<int, (long Sum, int Count)> drawn = [];
        for (int i = 0; i < samples.Length; i++)
        {
            (long sum, int count) = drawn.GetValueOrDefault(batch.Positions[i]);
            drawn[batch.Positions[i]] = (sum + samples[i], count + 1);
        }

        var replaced = new float[ids.Length];
        foreach ((int position, (long sum, int count)) in drawn)
        {
            ids[position] = (int)(sum / count);
            replaced[position] = ids[position] == batch.OriginalIds[position] ? 0 : 1;
        }

        return new CorruptedBatch(ids, replaced);
    }

    /// <summary>The first token whose cumulative probability exceeds <paramref name="uniform"/> times the total.</summary>
    internal static int Invert(ReadOnlySpan<float> probabilities, double uniform, int excluded)
    {
        Span<double> sums = new double[(probabilities.Length + Block - 1) / Block];
        double total = 0;
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] = Sum(probabilities[(i * Block)..Math.Min(probabilities.Length, (i + 1) * Block)], excluded - (i * Block));
            total += sums[i];
        }

        double target = uniform * total, below = 0;
        int block = 0;
        while (block < sums.Length - 1 && below + sums[block] <= target)
        {
            below += sums[block++];
        }

        int last = -1;
        for (int token = block * Block; token < probabilities.Length; token++)
        {
            if (token != excluded && probabilities[token] > 0)
            {
                last = token;
                below += probabilities[token];
                if (below > target)
                {
                    return token;
                }
            }
        }

        // Rounding let the target pass the end of the last block that holds any probability.
        return last >= 0 ? last : LastPossible(probabilities, excluded);
    }

    private static int LastPossible(ReadOnlySpan<float> probabilities, int excluded)
    {
        int token = probabilities.Length - 1;
        while (token > 0 && (token == excluded || !(probabilities[token] > 0)))
        {
            token--;
        }

        return token;
    }

    private static double Sum(ReadOnlySpan<float> values, int excluded)
    {
        double sum = 0;
        if (excluded >= 0 && excluded < values.Length)
        {
            for (int i = 0; i < values.Length; i++)
            {
                sum += i == excluded ? 0 : values[i];
            }

            return sum;
        }

        Vector<float> sums = Vector<float>.Zero;
        int next = 0;
        for (; next <= values.Length - Vector<float>.Count; next += Vector<float>.Count)
        {
            sums += new Vector<float>(values[next..]);
        }

        sum = Vector.Sum(sums);
        for (; next < values.Length; next++)
        {
            sum += values[next];
        }

        return sum;
    }

    private static double[] Uniforms(MaskedBatch batch, ulong seed, long step)
    {
        var uniforms = new double[batch.Positions.Length];
        int sequence = -1;
        CounterRandom random = default;
        for (int i = 0; i < uniforms.Length; i++)
        {
            int own = batch.Positions[i] / batch.Length;
            if (own != sequence)
            {
                sequence = own;
                random = new CounterRandom(seed, (ulong)step, (ulong)batch.Examples[own]);
            }

            uniforms[i] = random.NextDouble();
        }

        return uniforms;
    }
}
