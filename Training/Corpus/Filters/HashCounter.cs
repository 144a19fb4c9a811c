using System.Numerics;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Counts 64-bit hashes that are evenly distributed: a table that a thread uses again for each document, so that counting allocates
/// nothing. Not safe for several threads; <see cref="Borrow"/> gives each its own.
/// </summary>
internal sealed class HashCounter
{
    /// <summary>A table that one huge document made larger than this is not kept.</summary>
    private const int MaxKept = 1 << 20;

    /// <summary>Marks a free place; a hash of this value counts as another.</summary>
    private const ulong Free = 0;

    [ThreadStatic]
    private static HashCounter? own;

    private ulong[] hashes = [];
    private int[] counts = [];
    private int mask;

    /// <summary>
    /// The calling thread's counter with nothing in it, and room for so many different hashes. It is one for each thread.
    /// </summary>
    public static HashCounter Borrow(int room)
    {
        HashCounter counter = own ??= new HashCounter();
        counter.Clear(room);
        return counter;
    }

    /// <summary>How often the hash of a place was added.</summary>
    public int this[int place] => counts[place];

    /// <summary>Adds a hash once; returns its place, which holds until the counter is borrowed again.</summary>
    public int Add(ulong hash)
    {
        hash += hash == Free ? 1ul : 0;
        int place = (int)hash & mask;
        while (hashes[place] != hash)
        {
            if (hashes[place] == Free)
            {
                hashes[place] = hash;
                counts[place] = 0;
                break;
            }

            place = (place + 1) & mask;
        }

        counts[place]++;
        return place;
    }

    /// <summary>Adds a hash; false if it is there.</summary>
    public bool IsNew(ulong hash) => counts[Add(hash)] == 1;

    private void Clear(int room)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, 2 * room));
        if (hashes.Length < size || hashes.Length > Math.Max(size, MaxKept))
        {
            hashes = new ulong[size];
            counts = new int[size];
        }

        // Only as much of the table is used, and cleared, as the document needs.
        mask = size - 1;
        hashes.AsSpan(0, size).Clear();
    }
}
