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

        uint[] minima = new uint[keys.Length];
        minima.AsSpan().Fill(uint.MaxValue);
        ReadOnlySpan<ulong> hashes = words.Hashes;

        // A text of fewer words than a shingle is one shingle.
        int length = Math.Min(ngram, hashes.Length);
        for (int start = 0; start + length <= hashes.Length; start++)
        {
            Lower(minima, (uint)(WordNgrams.Hash(hashes.Slice(start, length)) >> 32));
        }

        ulong[] result = new ulong[bands];
        for (int band = 0; band < bands; band++)
        {
            result[band] = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(minima.AsSpan(band * rows, rows)), band);
        }

        return result;
    }

    /// <summary>One hash function a key, eight at a time: the shingle is mixed with the key, by operations that lose no bit.</summary>
    private void Lower(uint[] minima, uint shingle)
    {
        Vector256<uint> value = Vector256.Create(shingle);
        for (int i = 0; i < keys.Length; i += Vector256<uint>.Count)
        {
            Vector256<uint> mixed = value ^ Vector256.LoadUnsafe(ref keys[i]);
            mixed = (mixed ^ (mixed >>> 16)) * FirstMultiplier;
            mixed = (mixed ^ (mixed >>> 15)) * SecondMultiplier;
            mixed ^= mixed >>> 16;
            Vector256.Min(mixed, Vector256.LoadUnsafe(ref minima[i])).StoreUnsafe(ref minima[i]);
        }
    }
}
