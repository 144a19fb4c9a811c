namespace ElectraPipeline.Training.Shards;

/// <summary>
/// Which source each draw of a mixture falls on, and the how-manieth draw of that source it is: a pure function of the draw's number, so
/// that resuming at any step costs nothing.
/// </summary>
/// <remarks>
/// Draws come in periods of 65,536. In each, every source has a number of slots in proportion to its weight, and the slots are taken in
/// a shuffled order. A slot's place among those of its source is the draw's number within the period: over whole periods the shares are
/// met exactly, and every source's examples are walked through without a gap.
/// </remarks>
internal sealed class MixtureOrder
{
    /// <summary>Draws over which the shares are exact; the smallest share that can be told from none is its inverse.</summary>
    public const int Period = 1 << 16;

    private readonly int[] ends;
    private readonly EpochOrder slots;

    /// <param name="weights">At least one above 0, none below.</param>
    /// <param name="seed">Chooses the order of the slots.</param>
    public MixtureOrder(IReadOnlyList<double> weights, ulong seed)
    {
        int[] counts = Apportion(weights);
        ends = new int[counts.Length];
        int end = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            end += counts[i];
            ends[i] = end;
        }

        slots = new EpochOrder(Period, seed);
    }

    /// <summary>The source of a draw, and which draw of that source it is; all counted from 0.</summary>
    public (int Source, long Draw) this[long draw]
    {
        get
        {
            int slot = slots[draw];
            int source = 0;
            while (ends[source] <= slot)
            {
                source++;
            }

            int start = source == 0 ? 0 : ends[source - 1];
            return (source, (draw / Period * (ends[source] - start)) + slot - start);
        }
    }

    /// <summary>Shares <see cref="Period"/> by largest remainder; a weight above 0 gets one slot at least.</summary>
    internal static int[] Apportion(IReadOnlyList<double> weights)
    {
        double sum = weights.Sum();
        double[] exact = [.. weights.Select(weight => weight / sum * Period)];
        int[] counts = [.. exact.Select(share => share > 0 ? Math.Max(1, (int)share) : 0)];
        int left = Period - counts.Sum();
        int[] byRemainder = [.. Enumerable.Range(0, counts.Length).Where(i => exact[i] > 0).OrderByDescending(i => exact[i] - counts[i])];
        for (int i = 0; left > 0; i = (i + 1) % byRemainder.Length, left--)
        {
            counts[byRemainder[i]]++;
        }

        // More than there are, where tiny weights were rounded up: the largest gives way.
        counts[Array.IndexOf(counts, counts.Max())] += left;
        return counts;
    }
}
