using System.Numerics;
using System.Runtime.CompilerServices;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// A set of hashes of 64 or 128 bits in about 1.5 times their size each (12 or 25 bytes): what a corpus of hundreds of millions of
/// documents is held in.
/// </summary>
/// <remarks>
/// Extendible hashing: a directory over a hash's first bits leads to buckets, and one that is full gives half of its hashes to a new
/// one. So the set grows bucket by bucket: a table that is copied to a larger one holds twice the memory meanwhile, and the garbage
/// collector keeps the old one longer. Buckets lie in large arrays, so that the collector has nothing to follow.
/// </remarks>
internal sealed class FixedHashSet<THash>
    where THash : struct, IBinaryInteger<THash>, IUnsignedNumber<THash>
{
    private const int BucketSize = 64;
    private const int PageBuckets = 256;

    // A directory of 64 MiB, enough for 700 million hashes. What goes beyond it, or was made to collide, hangs on in chains.
    private const int MaxDepth = 24;
    private const int None = -1;

    private readonly List<THash[]> pages = [];
    private readonly List<Bucket> buckets = [];
    private int[] directory = [0];
    private int depth;

    public FixedHashSet() => AddBucket(0);

    /// <summary>Hashes in it.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a hash whose bits are evenly distributed; false if it is there.</summary>
    public bool Add(THash hash)
    {
        if (Contains(hash))
        {
            return false;
        }

        int bucket = directory[Prefix(hash, depth)];
        while (buckets[bucket].Count == BucketSize && buckets[bucket].Depth < MaxDepth)
        {
            Split(bucket, hash);
            bucket = directory[Prefix(hash, depth)];
        }

        Append(bucket, hash);
        Count++;
        return true;
    }

    /// <summary>Whether a hash is there.</summary>
    public bool Contains(THash hash)
    {
        int bucket = directory[Prefix(hash, depth)];
        while (bucket != None)
        {
            if (HashesOf(bucket).Contains(hash))
            {
                return true;
            }

            bucket = buckets[bucket].Next;
        }

        return false;
    }

    /// <summary>The first bits of a hash.</summary>
    private static int Prefix(THash hash, int bits) => bits == 0 ? 0 : int.CreateTruncating(hash >> (8 * Unsafe.SizeOf<THash>() - bits));

    private Span<THash> HashesOf(int bucket) => RoomOf(bucket)[..buckets[bucket].Count];

    private Span<THash> RoomOf(int bucket) => pages[bucket / PageBuckets].AsSpan(bucket % PageBuckets * BucketSize, BucketSize);

    private int AddBucket(int bucketDepth)
    {
        if (buckets.Count % PageBuckets == 0)
        {
            pages.Add(new THash[PageBuckets * BucketSize]);
        }

        buckets.Add(new Bucket((byte)bucketDepth, 0, None));
        return buckets.Count - 1;
    }

    /// <summary>Adds to a bucket that has room, or to the chain of one that cannot be split.</summary>
    private void Append(int bucket, THash hash)
    {
        while (buckets[bucket].Count == BucketSize)
        {
            if (buckets[bucket].Next == None)
            {
                int next = AddBucket(MaxDepth);
                buckets[bucket] = buckets[bucket] with { Next = next };
            }

            bucket = buckets[bucket].Next;
        }

        RoomOf(bucket)[buckets[bucket].Count] = hash;
        buckets[bucket] = buckets[bucket] with { Count = (byte)(buckets[bucket].Count + 1) };
    }

    /// <summary>Lets a bucket tell its hashes apart by one bit more; those that have a 1 there move to a new one.</summary>
    private void Split(int bucket, THash hash)
    {
        int bits = buckets[bucket].Depth + 1;
        if (bits > depth)
        {
            DoubleDirectory();
        }

        int upper = AddBucket(bits);
        Span<THash> room = RoomOf(bucket);
        int kept = 0;
        foreach (THash other in room)
        {
            if ((Prefix(other, bits) & 1) == 1)
            {
                Append(upper, other);
            }
            else
            {
                room[kept++] = other;
            }
        }

        buckets[bucket] = new Bucket((byte)bits, (byte)kept, None);
        int span = 1 << (depth - bits);
        directory.AsSpan((Prefix(hash, bits) | 1) * span, span).Fill(upper);
    }

    private void DoubleDirectory()
    {
        int[] doubled = new int[2 * directory.Length];
        for (int i = 0; i < doubled.Length; i++)
        {
            doubled[i] = directory[i / 2];
        }

        directory = doubled;
        depth++;
    }

    /// <param name="Depth">How many first bits its hashes share.</param>
    /// <param name="Count">Hashes in it.</param>
    /// <param name="Next">The bucket that its chain goes on in, or none.</param>
    private readonly record struct Bucket(byte Depth, byte Count, int Next);
}
