using System.Numerics;

namespace ElectraPipeline.Training.Optimization;

/// <summary>
/// The optimizer's loops over flat memory. Sums and products are never fused, so that every processor gives the same bits.
/// </summary>
internal static class AdamKernel
{
    /// <summary>Adds <paramref name="other"/> to <paramref name="sum"/> and clears it.</summary>
    public static void MoveInto(Span<float> sum, Span<float> other)
    {
        int width = Vector<float>.Count,
            i = 0;
        for (; i <= sum.Length - width; i += width)
        {
            (new Vector<float>(sum[i..]) + new Vector<float>(other[i..])).CopyTo(sum[i..]);
        }

        for (; i < sum.Length; i++)
        {
            sum[i] += other[i];
        }

        other.Clear();
    }

    /// <summary>The sum of squares in double precision, in an order that does not depend on the vectors' width.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> values)
    {
        const int Lanes = 16;
        Span<double> sums = stackalloc double[Lanes];
        int i = 0;
        for (; i <= values.Length - Lanes; i += Lanes)
        {
            ReadOnlySpan<float> chunk = values.Slice(i, Lanes);
            for (int lane = 0; lane < Lanes; lane += Vector<double>.Count * 2)
            {
                int half = Vector<double>.Count;
                Vector.Widen(new Vector<float>(chunk[lane..]), out Vector<double> low, out Vector<double> high);
                (new Vector<double>(sums[lane..]) + (low * low)).CopyTo(sums[lane..]);
                (new Vector<double>(sums[(lane + half)..]) + (high * high)).CopyTo(sums[(lane + half)..]);
            }
        }

        for (int lane = 0; i < values.Length; i++, lane++)
        {
            sums[lane] += (double)values[i] * values[i];
        }

        double total = 0;
        foreach (double sum in sums)
        {
            total += sum;
        }

        return total;
    }

    /// <summary>Clips, updates moments and values, and clears the gradient.</summary>
    public static void Update(
        Span<float> values,
        Span<float> gradient,
        Span<float> first,
        Span<float> second,
        AdamOptions options,
        float rate,
        float decay,
        float clip
    )
    {
        float beta1 = (float)options.Beta1,
            beta2 = (float)options.Beta2,
            epsilon = (float)options.Epsilon;
        float rest1 = (float)(1 - options.Beta1),
            rest2 = (float)(1 - options.Beta2);
        int width = Vector<float>.Count,
            i = 0;
        for (; i <= values.Length - width; i += width)
        {
            Vector<float> g = new Vector<float>(gradient[i..]) * clip,
                p = new(values[i..]);
            Vector<float> m = (new Vector<float>(first[i..]) * beta1) + (g * rest1);
            Vector<float> v = (new Vector<float>(second[i..]) * beta2) + (g * g * rest2);
            Vector<float> update = (m / (Vector.SquareRoot(v) + new Vector<float>(epsilon))) + (p * decay);
            m.CopyTo(first[i..]);
            v.CopyTo(second[i..]);
            (p - (update * rate)).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
        {
            float g = gradient[i] * clip;
            first[i] = (first[i] * beta1) + (g * rest1);
            second[i] = (second[i] * beta2) + (g * g * rest2);
            float update = (first[i] / (MathF.Sqrt(second[i]) + epsilon)) + (values[i] * decay);
            values[i] -= update * rate;
        }

        gradient.Clear();
    }
}
