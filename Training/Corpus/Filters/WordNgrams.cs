using System.Numerics;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Hashes of n words in a row.</summary>
internal static class WordNgrams
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    /// <summary>The hash of words: of their hashes and their order.</summary>
    public static ulong Hash(ReadOnlySpan<ulong> words)
    {
        ulong hash = Append((ulong)words.Length, words);
        return hash ^ (hash >> 32);
    }

    /// <summary>Takes more words into a hash that began as any number.</summary>
    public static ulong Append(ulong hash, ReadOnlySpan<ulong> words)
    {
        foreach (ulong word in words)
        {
            hash = (BitOperations.RotateLeft(hash, 23) ^ word) * Multiplier;
        }

        return hash;
    }
}
