using System.Numerics;
using System.Runtime.InteropServices;
using ElectraPipeline.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>Where the tokens come from that replace masked ones.</summary>
internal interface ITokenSampler
{
    /// <summary>Draws a token for some rows of a batch's predicted positions.</summary>
    /// <param name="logits">The generator's logits of the rows, [R, V]; not to be changed.</param>
    /// <param name="probabilities">Their softmax, [R, V]; not to be changed.</param>
    /// <param name="positions">Which of the batch's predicted positions each row is, [R].</param>
    /// <returns>The tokens, int64 [R], on the logits' device.</returns>
    Tensor Sample(Tensor logits, Tensor probabilities, int[] positions);
}

/// <summary>What the discriminator sees: the text with masked positions resampled.</summary>
/// <param name="Ids">Token ids, int64 [B * L].</param>
/// <param name="Replaced">1 where the token differs from the text's, else 0, float32 [B * L].</param>
internal sealed record CorruptedBatch(Tensor Ids, Tensor Replaced);

/// <summary>
/// Draws replacements from softmax(logits / temperature) by inverting its cumulative distribution, one uniform number a row.
/// </summary>
/// <remarks>
/// The official code takes argmax(logits / T + Gumbel noise), which has the same distribution but needs V random numbers a row.
/// </remarks>
internal sealed class TokenReplacement : ITokenSampler
{
    private const int Block = 128;

    // Times a row's total it stays below the total, in float64 too: the draw never falls behind the last possible token.
    private const double LargestUniform = 1 - (1.0 / (1L << 40));
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
    public Tensor Sample(Tensor logits, Tensor probabilities, int[] positions)
    {
        using var scope = NewDisposeScope();
        Tensor used = temperature == 1 ? probabilities : nn.functional.softmax(logits / temperature, -1);
        double[] draws = Array.ConvertAll(positions, position => uniforms[position]);
        int[]? excluded = disallowCorrect ? Array.ConvertAll(positions, position => batch.OriginalIds[batch.Positions[position]]) : null;
        Tensor samples = used.device_type == DeviceType.CPU ? InvertOnHost(used, draws, excluded) : InvertOnDevice(used, draws, excluded);
        return samples.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The discriminator's input and labels. A position drawn several times gets the floored mean of its samples, an unrelated token:
    /// the official scatter_update does so. The tensors belong to the caller's dispose scope.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="samples">A token for each masked position, int64 [K].</param>
    public static CorruptedBatch Corrupt(DeviceBatch batch, Tensor samples)
    {
        using var scope = NewDisposeScope();
        Tensor sums = zeros_like(batch.OriginalIds).AddAt(batch.Positions, samples);
        Tensor counts = zeros_like(batch.OriginalIds).AddAt(batch.Positions, ones_like(samples));
        Tensor means = sums.floor_divide(counts.maximum(ones_like(counts)));
        Tensor ids = where(counts.@bool(), means, batch.OriginalIds);
        Tensor replaced = ids.not_equal(batch.OriginalIds).to(ScalarType.Float32);
        return new CorruptedBatch(ids.MoveToOuterDisposeScope(), replaced.MoveToOuterDisposeScope());
    }

    /// <summary>The same as <see cref="Invert"/> for all rows at once by the device's operations, without a look at the result.</summary>
    internal static Tensor InvertOnDevice(Tensor probabilities, double[] uniforms, int[]? excluded)
    {
        using var scope = NewDisposeScope();
        Tensor allowed = probabilities;
        if (excluded is not null)
        {
            Tensor columns = Upload.Longs(excluded, probabilities.device).unsqueeze(1);
            allowed = probabilities.scatter(1, columns, zeros(columns.shape, ScalarType.Float32, probabilities.device));
        }

        Tensor sums = allowed.cumsum(1, ScalarType.Float64);
        Tensor shares = Upload
            .Doubles(Array.ConvertAll(uniforms, uniform => Math.Min(uniform, LargestUniform)), probabilities.device)
            .unsqueeze(1);
        Tensor targets = sums.narrow(1, sums.shape[1] - 1, 1).mul(shares);
        return searchsorted(sums, targets, right: true).squeeze(1).MoveToOuterDisposeScope();
    }

    private static Tensor InvertOnHost(Tensor probabilities, double[] uniforms, int[]? excluded)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(probabilities.contiguous().bytes);
        int vocabulary = (int)probabilities.shape[1];
        var samples = new long[uniforms.Length];
        for (int row = 0; row < samples.Length; row++)
        {
            samples[row] = Invert(values.Slice(row * vocabulary, vocabulary), uniforms[row], excluded?[row] ?? -1);
        }

        return tensor(samples);
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

        double target = uniform * total,
            below = 0;
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
