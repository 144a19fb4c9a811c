using System.Numerics;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Rows of numbers by 64-bit keys: open addressing with linear probing. Immutable.</summary>
internal sealed class GainTable
{
    private const int None = -1;

    private readonly ulong[] keys;
    private readonly int[] rows;
    private readonly double[] values;
    private readonly int width;
    private readonly int shift;

    /// <param name="gains">Rows of <paramref name="width"/> numbers.</param>
    /// <param name="width">Numbers a row.</param>
    public GainTable(IReadOnlyDictionary<ulong, double[]> gains, int width)
    {
        this.width = width;
        int bits = BitOperations.Log2((uint)gains.Count + 1) + 2;
        shift = 64 - bits;
        keys = new ulong[1 << bits];
        rows = new int[keys.Length];
        rows.AsSpan().Fill(None);
        values = new double[checked(gains.Count * width)];
        int row = 0;
        foreach ((ulong key, double[] gain) in gains)
        {
            int slot = SlotOf(key);
            while (rows[slot] != None)
            {
                slot = (slot + 1) & (keys.Length - 1);
            }

            (keys[slot], rows[slot]) = (key, row);
            gain.CopyTo(values, row++ * width);
        }
    }

    /// <summary>The row of a key; empty if there is none.</summary>
    public ReadOnlySpan<double> Find(ulong key)
    {
        int slot = SlotOf(key);
        while (rows[slot] != None)
        {
            if (keys[slot] == key)
            {
                return values.AsSpan(rows[slot] * width, width);
            }

            slot = (slot + 1) & (keys.Length - 1);
        }

        return default;
    }

    private int SlotOf(ulong key) => (int)((key ^ (key >> 32)) * 0x9E3779B97F4A7C15UL >> shift);
}
