namespace ElectraPipeline.Training.Corpus;

/// <summary>A set of 128-bit hashes in 20 to 30 bytes each: what a corpus of hundreds of millions of documents is held in.</summary>
/// <remarks>
/// The hashes are spread over small tables by their upper bits, each an open-addressing table that grows by half on its own. So
/// growing never holds two copies of the whole set, and takes no pause that is proportional to it.
/// </remarks>
internal sealed class Hash128Set
{
    private const int TableBits = 10;
    private const int FirstCapacity = 16;
    private readonly Table[] tables = new Table[1 << TableBits];

    /// <summary>Hashes in it.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a hash that is evenly distributed; false if it is there.</summary>
    public bool Add(UInt128 hash)
    {
        // Zero marks a free slot. That one hash in 2^128 counts as its neighbour is less likely than a broken memory chip.
        hash = hash == 0 ? 1 : hash;
        bool added = tables[(int)(hash >> (128 - TableBits))].Add(hash);
        Count += added ? 1 : 0;
        return added;
    }

    private struct Table
    {
        private UInt128[]? slots;
        private int count;

        public bool Add(UInt128 hash)
        {
            slots ??= new UInt128[FirstCapacity];
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

        private static int Find(UInt128[] slots, UInt128 hash)
        {
            int slot = (int)((ulong)hash % (ulong)slots.Length);
            while (slots[slot] != 0 && slots[slot] != hash)
            {
                slot = slot + 1 == slots.Length ? 0 : slot + 1;
            }

            return slot;
        }

        private void Grow()
        {
            var larger = new UInt128[checked(slots!.Length + slots.Length / 2)];
            foreach (UInt128 hash in slots)
            {
                if (hash != 0)
                {
                    larger[Find(larger, hash)] = hash;
                }
            }

            slots = larger;
        }
    }
}
