namespace ElectraPipeline.Training.Shards;

/// <summary>A permutation of 0 .. count - 1 that seed and epoch choose, in O(1) memory.</summary>
/// <remarks>
/// A Feistel network over the numbers of two digits, one modulo <see cref="rows"/> and one modulo <see cref="columns"/>, both close to
/// the root of count: the digits in turn are shifted by a keyed function of the other. Results outside the range are sent through
/// again (cycle walking, Black and Rogaway 2002); as rows * columns exceeds count by less than its root, that hardly ever happens.
/// </remarks>
internal sealed class Permutation
{
    // Four rounds look random to an adversary where the halves are large (Luby and Rackoff 1988); two more, as they may be small here.
    private const uint Rounds = 6;

    private readonly uint count;
    private readonly uint rows;
    private readonly uint columns;
    private readonly ulong key;

    public Permutation(int count, ulong seed, long epoch)
    {
        this.count = (uint)count;
        Epoch = epoch;
        columns = (uint)Math.Ceiling(Math.Sqrt(count));
        rows = (this.count + columns - 1) / columns;
        key = new CounterRandom(seed, (ulong)epoch).NextUInt64();
    }

    /// <summary>The epoch it was made for.</summary>
    public long Epoch { get; }

    /// <summary>Where <paramref name="index"/> goes.</summary>
    public int this[int index]
    {
        get
        {
            uint value = (uint)index;
            do
            {
                value = Shuffle(value);
            } while (value >= count);
            return (int)value;
        }
    }

    private uint Shuffle(uint value)
    {
        (uint row, uint column) = Math.DivRem(value, columns);
        for (ulong round = 0; round < Rounds; round += 2)
        {
            row = Add(row, Keyed(round, column, rows), rows);
            column = Add(column, Keyed(round + 1, row, columns), columns);
        }

        return (row * columns) + column;
    }

    /// <summary>A number below <paramref name="bound"/> that key, round and the other digit choose.</summary>
    private uint Keyed(ulong round, uint digit, uint bound) =>
        (uint)Math.BigMul(CounterRandom.Mix(key + (round << 32) + digit), bound, out _);

    private static uint Add(uint digit, uint by, uint modulus)
    {
        ulong sum = (ulong)digit + by;
        return (uint)(sum < modulus ? sum : sum - modulus);
    }
}
