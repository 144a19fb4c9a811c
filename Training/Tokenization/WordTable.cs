using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// The tokens that are whole words of at most 16 bytes, by their bytes in a register: one look-up answers for most words of a text.
/// Immutable, open addressing with linear probing.
/// </summary>
internal sealed class WordTable
{
    private readonly Vector128<byte>[] words;
    private readonly int[] ids;
    private readonly int shift;

    /// <summary>
    /// A table of (token, id) pairs; tokens of 1 to 16 bytes without zeros, in order of how common they are expected to be.
    /// </summary>
    public WordTable(IReadOnlyList<(byte[] Token, int Id)> tokens)
    {
        int bits = Math.Max(4, BitOperations.Log2((uint)tokens.Count) + 2);
        shift = 64 - bits;
        words = new Vector128<byte>[1 << bits];
        ids = new int[1 << bits];
        foreach ((byte[] token, int id) in tokens)
        {
            Vector128<byte> word = Pack(token);
            int slot = SlotOf(word, shift);
            while (words[slot] != default)
            {
                slot = (slot + 1) & (words.Length - 1);
            }

            words[slot] = word;
            ids[slot] = id;
        }
    }

    /// <summary>The bytes of a word of 1 to 16 bytes with zeros behind them.</summary>
    public static Vector128<byte> Pack(ReadOnlySpan<byte> word)
    {
        Span<byte> padded = stackalloc byte[16];
        padded.Clear();
        word.CopyTo(padded);
        return Vector128.Create<byte>(padded);
    }

    /// <summary>The id of <paramref name="word"/>, or -1. Zeros stand behind the word's bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int IdOf(Vector128<byte> word)
    {
        int slot = SlotOf(word, shift);
        Vector128<byte> found = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(words), slot);
        return found == word ? Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(ids), slot) : Probe(word, slot);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Probe(Vector128<byte> word, int slot)
    {
        while (words[slot] != default)
        {
            if (words[slot] == word)
            {
                return ids[slot];
            }

            slot = (slot + 1) & (words.Length - 1);
        }

        return -1;
    }

    /// <summary>Fibonacci hashing of both halves; the high bits of the product are the well mixed ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SlotOf(Vector128<byte> word, int shift)
    {
        ulong low = word.AsUInt64().ToScalar();
        ulong high = word.AsUInt64().GetElement(1);
        return (int)(((low ^ BitOperations.RotateLeft(high * 0xD6E8FEB86659FD93UL, 32)) * 0x9E3779B97F4A7C15UL) >> shift);
    }
}
