using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Signatures of texts by their n-grams of words: two texts share a minimum with the probability of their Jaccard similarity s, and
/// one of b bands of r minima with 1 - (1 - s^r)^b. Not of cryptographic strength; a function of the words alone.
/// </summary>
internal sealed class MinHash
{
    private const uint FirstMultiplier = 0x7FEB352D;
    private const uint SecondMultiplier = 0x846CA68B;
    private readonly int ngram;
    private readonly int bands;
    private readonly int rows;
    private readonly uint[] keys;

    /// <param name="ngram">Words a shingle.</param>
    /// <param name="bands">Bands of the signature.</param>
    /// <param name="rows">Minima a band.</param>
    public MinHash(int ngram, int bands, int rows)
    {
        this.ngram = ngram;
        this.bands = bands;
        this.rows = rows;
        int lanes = Vector256<uint>.Count;
        keys = new uint[(bands * rows + lanes - 1) / lanes * lanes];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = (uint)XxHash3.HashToUInt64(BitConverter.GetBytes(i));
        }
    }

    /// <summary>A hash of each band, [bands]; equal hashes in the same place mean equal minima. Empty for a text without words.</summary>
    public ulong[] BandsOf(TextWords words)
    {
        if (words.Count == 0)
        {
            return [];
        }

        uint[] shingles = ArrayPool<uint>.Shared.Rent(words.Count);
        uint[] minima = ArrayPool<uint>.Shared.Rent(keys.Length);
        ReadOnlySpan<ulong> hashes = words.Hashes;

        // A text of fewer words than a shingle is one shingle.
        int length = Math.Min(ngram, hashes.Length);
        int count = hashes.Length - length + 1;
        for (int start = 0; start < count; start++)
        {
            shingles[start] = (uint)(WordNgrams.Hash(hashes.Slice(start, length)) >> 32);
        }

        Minima(shingles.AsSpan(0, count), minima);
        ulong[] result = new ulong[bands];
        for (int band = 0; band < bands; band++)
        {
            result[band] = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(minima.AsSpan(band * rows, rows)), band);
        }

        ArrayPool<uint>.Shared.Return(shingles);
        ArrayPool<uint>.Shared.Return(minima);
        return result;
    }

    /// <summary>
    /// The least hash of all shingles for each key, one hash function a key, eight at a time: a shingle is mixed with the key, by
    /// operations that lose no bit. All shingles for some keys, then for the next: keys and minima stay in registers.
    /// </summary>
    private void Minima(ReadOnlySpan<uint> shingles, Span<uint> minima)
    {
        for (int i = 0; i < keys.Length; i += Vector256<uint>.Count)
        {
            var key = Vector256.LoadUnsafe(ref keys[i]);
            Vector256<uint> least = Vector256<uint>.AllBitsSet;
            foreach (uint shingle in shingles)
            {
                Vector256<uint> mixed = Vector256.Create(shingle) ^ key;
                mixed = (mixed ^ (mixed >>> 16)) * FirstMultiplier;
                mixed = (mixed ^ (mixed >>> 15)) * SecondMultiplier;
                least = Vector256.Min(least, mixed ^ (mixed >>> 16));
            }

            least.CopyTo(minima[i..]);
        }
    }
}
