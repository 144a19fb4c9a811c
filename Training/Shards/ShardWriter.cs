using System.Buffers.Binary;
using System.IO.Hashing;

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

    /// <summary>Adds an example of at most the sequence length.</summary>
    public void Add(Example example)
    {
        var ids = example.Ids;
        BinaryPrimitives.WriteUInt16LittleEndian(record, (ushort)ids.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(2), (ushort)example.SecondSegmentStart);
        for (int i = 0; i < header.SequenceLength; i++)
        {
            int id = i < ids.Length ? ids[i] : header.PadId;
            if (header.TokenBytes == 2)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(4 + (2 * i)), (ushort)id);
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4 + (4 * i)), id);
            }
        }

        Append(record);
        count++;
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

    private void FlushBlock()
    {
        var bytes = block.AsSpan(0, blockBytes);
        hashes.Add(XxHash3.HashToUInt64(bytes));
        file.Stream.Write(bytes);
        blockBytes = 0;
    }
}
