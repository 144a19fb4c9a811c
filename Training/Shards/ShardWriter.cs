using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ElectraPipeline.Training.Shards;

/// <summary>Writes examples to a shard, which has its name only once it is whole and on the disk.</summary>
internal sealed class ShardWriter : IDisposable
{
    private readonly PendingFile file;
    private readonly ShardHeader header;
    private readonly byte[] record;
    private readonly byte[] block = new byte[ShardHeader.BlockSize];
    private readonly List<ulong> hashes = [];
    private int blockBytes;
    private int count;

    /// <param name="path">The final name.</param>
    /// <param name="header">All but the count.</param>
    public ShardWriter(string path, ShardHeader header)
    {
        this.header = header;
        record = new byte[header.Stride];
        file = new PendingFile(path);
        file.Stream.Write(new byte[ShardHeader.Size]);
    }

    /// <summary>Tokens in the examples so far, without [CLS], [SEP] and padding.</summary>
    public long TextTokens { get; private set; }

    /// <summary>Adds an example of at most the sequence length; see <see cref="ExampleReceiver"/>.</summary>
    public void Add(ReadOnlySpan<int> ids, int secondSegmentStart)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ids.Length, header.SequenceLength);
        BinaryPrimitives.WriteUInt16LittleEndian(record, (ushort)ids.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(2), (ushort)secondSegmentStart);
        if (header.TokenBytes == 2)
        {
            Span<ushort> tokens = MemoryMarshal.Cast<byte, ushort>(record.AsSpan(4));
            Narrow(ids, tokens);
            tokens[ids.Length..].Fill((ushort)header.PadId);
        }
        else
        {
            Span<int> tokens = MemoryMarshal.Cast<byte, int>(record.AsSpan(4));
            ids.CopyTo(tokens);
            tokens[ids.Length..].Fill(header.PadId);
        }

        Append(record);
        count++;
        TextTokens += ids.Length - (secondSegmentStart == ids.Length ? 2 : 3);
    }

    /// <summary>Finishes the file and gives it its name; returns the number of examples.</summary>
    public int Commit()
    {
        if (blockBytes > 0)
        {
            FlushBlock();
        }

        byte[] table = new byte[8 * hashes.Count];
        for (int i = 0; i < hashes.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(8 * i), hashes[i]);
        }

        byte[] seal = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(seal, XxHash3.HashToUInt64(table));
        file.Stream.Write(table);
        file.Stream.Write(seal);
        file.Stream.Seek(0, SeekOrigin.Begin);
        file.Stream.Write((header with { Count = count }).ToBytes());
        file.Commit();
        return count;
    }

    public void Dispose() => file.Dispose();

    private void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int part = Math.Min(bytes.Length, block.Length - blockBytes);
            bytes[..part].CopyTo(block.AsSpan(blockBytes));
            blockBytes += part;
            bytes = bytes[part..];
            if (blockBytes == block.Length)
            {
                FlushBlock();
            }
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

    private void FlushBlock()
    {
        var bytes = block.AsSpan(0, blockBytes);
        hashes.Add(XxHash3.HashToUInt64(bytes));
        file.Stream.Write(bytes);
        blockBytes = 0;
    }
}
