using System.Numerics;
using System.Runtime.CompilerServices;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// A set of hashes of 64 or 128 bits in 1.25 to 1.9 times their size each (10 to 15, 20 to 30 bytes): what a corpus of hundreds of
/// millions of documents is held in.
/// </summary>
/// <remarks>
/// The hashes are spread over small tables by their upper bits, each an open-addressing table that grows by half on its own. So
/// growing never holds two copies of the whole set, and takes no pause that is proportional to it.
/// </remarks>
internal sealed class FixedHashSet<THash>
    where THash : struct, IBinaryInteger<THash>, IUnsignedNumber<THash>
{
    private const int TableBits = 10;
    private const int FirstCapacity = 16;
    private readonly Table[] tables = new Table[1 << TableBits];

    /// <summary>Hashes in it.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a hash that is evenly distributed; false if it is there.</summary>
    public bool Add(THash hash)
    {
        // Zero marks a free slot. That one hash of all counts as its neighbour matters less than that two may be equal by chance.
        hash = Marked(hash);
        bool added = tables[TableOf(hash)].Add(hash);
        Count += added ? 1 : 0;
        return added;
    }

    /// <summary>Whether a hash is there.</summary>
    public bool Contains(THash hash)
    {
        hash = Marked(hash);
        return tables[TableOf(hash)].Contains(hash);
    }

    private static THash Marked(THash hash) => hash == THash.Zero ? THash.One : hash;

    private static int TableOf(THash hash) => int.CreateTruncating(hash >> (8 * Unsafe.SizeOf<THash>() - TableBits));

    private struct Table
    {
        private THash[]? slots;
        private int count;

        public bool Add(THash hash)
        {
            slots ??= new THash[FirstCapacity];
            int slot = Find(slots, hash);
            if (slots[slot] == hash)
            {
                return false;
            }

            slots[slot] = hash;
            count++;
            if (5L * count > 4L * slots.Length)
            {
                Grow();
            }

            return true;
        }

        public readonly bool Contains(THash hash) => slots is not null && slots[Find(slots, hash)] == hash;

        private static int Find(THash[] slots, THash hash)
        {
            int slot = (int)(ulong.CreateTruncating(hash) % (ulong)slots.Length);
            while (slots[slot] != THash.Zero && slots[slot] != hash)
            {
                slot = slot + 1 == slots.Length ? 0 : slot + 1;
            }

            return slot;
        }

        private void Grow()
        {
            var larger = new THash[checked(slots!.Length + slots.Length / 2)];
            foreach (THash hash in slots)
            {
                if (hash != THash.Zero)
                {
                    larger[Find(larger, hash)] = hash;
                }
            }

            slots = larger;
        }
    }
}
