using System.Numerics;

namespace ElectraPipeline.Training.Shards;

/// <summary>
/// The batch of a step, as a pure function: a new permutation of all examples each epoch, computed in O(1) memory, so that resuming at
/// any step costs nothing and the number of workers does not matter.
/// </summary>
public sealed class BatchSampler
{
    private readonly ExampleSet set;
    private readonly ulong seed;
    private readonly int batchSize;

    /// <summary>Samples from a set.</summary>
    /// <exception cref="PermanentException">The set is empty.</exception>
    public BatchSampler(ExampleSet set, ulong seed, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        this.set = set.Count > 0 ? set : throw new PermanentException("the shards hold no training examples; the corpus is too small, or all of it is held out");
        this.seed = RandomPurpose.SeedFor(seed, RandomPurpose.ShardOrder);
        this.batchSize = batchSize;
    }

    /// <summary>The examples of a step, counted from 0; batches go on over the end of an epoch.</summary>
    public ExampleBatch Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        Span<int> indexes = batchSize <= 1024 ? stackalloc int[batchSize] : new int[batchSize];
        for (int i = 0; i < batchSize; i++)
        {
            long position = checked((step * batchSize) + i);
            indexes[i] = new Permutation(set.Count, seed, position / set.Count)[(int)(position % set.Count)];
        }

        return set.Batch(indexes);
    }
}

/// <summary>
/// A permutation of 0 .. count - 1 that seed and epoch choose: a Feistel network of four rounds over the next even number of bits,
/// walked until it falls into the range.
/// </summary>
internal readonly struct Permutation
{
    private const int Rounds = 4;
    private readonly int count;
    private readonly int halfBits;
    private readonly ulong key;

    public Permutation(int count, ulong seed, long epoch)
    {
        this.count = count;
        int bits = Math.Max(2, BitOperations.Log2((uint)Math.Max(1, count - 1)) + 1);
        halfBits = (bits + 1) / 2;
        key = new CounterRandom(seed, (ulong)epoch).NextUInt64();
    }

    public int this[int index]
    {
        get
        {
            ulong value = (ulong)index;
            do
            {
                value = Encrypt(value);
            }
            while (value >= (ulong)count);
            return (int)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        ulong mask = (1UL << halfBits) - 1;
        ulong left = value >> halfBits;
        ulong right = value & mask;
        for (ulong round = 0; round < Rounds; round++)
        {
            (left, right) = (right, left ^ (CounterRandom.Mix(key + (round << 32) + right) & mask));
        }

        return (left << halfBits) | right;
    }
}
