using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ElectraPipeline.Training.Shards;

/// <summary>The bytes of a record; their layout is in <see cref="ShardHeader"/>.</summary>
internal static class ShardRecord
{
    /// <summary>Writes an example to <paramref name="record"/>, which is as long as the header's stride.</summary>
    public static void Write(ShardHeader header, ReadOnlySpan<int> ids, int secondSegmentStart, Span<byte> record)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ids.Length, header.SequenceLength);
        BinaryPrimitives.WriteUInt16LittleEndian(record, (ushort)ids.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record[2..], (ushort)secondSegmentStart);
        if (header.TokenBytes == 2)
        {
            Span<ushort> tokens = MemoryMarshal.Cast<byte, ushort>(record[4..]);
            Narrow(ids, tokens);
            tokens[ids.Length..].Fill((ushort)header.PadId);
        }
        else
        {
            Span<int> tokens = MemoryMarshal.Cast<byte, int>(record[4..]);
            ids.CopyTo(tokens);
            tokens[ids.Length..].Fill(header.PadId);
        }
    }

    /// <summary>Tokens of an example without [CLS] and [SEP].</summary>
    public static int TextTokens(ReadOnlySpan<int> ids, int secondSegmentStart) => ids.Length - (secondSegmentStart == ids.Length ? 2 : 3);

    /// <summary>Copies 16-bit ids to as many 32-bit ones.</summary>
    public static void Widen(ReadOnlySpan<ushort> tokens, Span<int> ids)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ids.Length, tokens.Length);
        ref ushort source = ref MemoryMarshal.GetReference(tokens);
        ref uint target = ref Unsafe.As<int, uint>(ref MemoryMarshal.GetReference(ids));
        int done = 0;
        for (; done <= tokens.Length - Vector256<ushort>.Count; done += Vector256<ushort>.Count)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.LoadUnsafe(ref source, (nuint)done));
            low.StoreUnsafe(ref target, (nuint)done);
            high.StoreUnsafe(ref target, (nuint)(done + Vector256<uint>.Count));
        }

        for (; done < tokens.Length; done++)
        {
            ids[done] = tokens[done];
        }
    }

    /// <summary>Copies 32-bit ids to as many 16-bit ones.</summary>
    private static void Narrow(ReadOnlySpan<int> ids, Span<ushort> tokens)
    {
        ref uint source = ref Unsafe.As<int, uint>(ref MemoryMarshal.GetReference(ids));
        ref ushort target = ref MemoryMarshal.GetReference(tokens);
        int done = 0;
        for (; done <= ids.Length - Vector256<ushort>.Count; done += Vector256<ushort>.Count)
        {
            Vector256<uint> low = Vector256.LoadUnsafe(ref source, (nuint)done);
            Vector256<uint> high = Vector256.LoadUnsafe(ref source, (nuint)(done + Vector256<uint>.Count));
            Vector256.Narrow(low, high).StoreUnsafe(ref target, (nuint)done);
        }

        for (; done < ids.Length; done++)
        {
            tokens[done] = (ushort)ids[done];
        }
    }
}
