using System.Buffers.Binary;

namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>
/// One block of a table, unpacked: entries that share a prefix with the key before, then where keys start afresh, then how many places
/// that are.
/// </summary>
internal static class TableBlock
{
    /// <summary>The block's entries.</summary>
    /// <exception cref="InvalidDataException">The block is not what the format says.</exception>
    public static List<TableEntry> Parse(ReadOnlyMemory<byte> block)
    {
        int end = EndOfEntries(block.Span);
        HashSet<uint> restarts = Restarts(block.Span[end..^4]);
        List<TableEntry> entries = [];
        byte[] key = [];
        for (int at = 0; at < end; )
        {
            bool isRestart = restarts.Remove((uint)at);
            int start = at;
            int shared = Varint.Read(block.Span[..end], ref at, key.Length);
            int own = Varint.Read(block.Span[..end], ref at, end);
            int length = Varint.Read(block.Span[..end], ref at, end);
            if ((isRestart && shared > 0) || (long)at + own + length > end)
            {
                throw new InvalidDataException($"has an entry at byte {start} that shares {shared} bytes at a restart or passes the end");
            }

            key = [.. key[..shared], .. block.Span.Slice(at, own)];
            entries.Add(new TableEntry(key, block.Slice(at + own, length)));
            at += own + length;
        }

        restarts.Remove(0); // of an empty block
        return restarts.Count == 0
            ? entries
            : throw new InvalidDataException($"has a restart at byte {restarts.First()}, where no entry starts");
    }

    private static int EndOfEntries(ReadOnlySpan<byte> block)
    {
        if (block.Length < 4)
        {
            throw new InvalidDataException($"is {block.Length} bytes long, shorter than the number of restarts");
        }

        uint restarts = BinaryPrimitives.ReadUInt32LittleEndian(block[^4..]);
        return restarts <= (block.Length - 4) / 4
            ? block.Length - 4 - (4 * (int)restarts)
            : throw new InvalidDataException($"has {block.Length} bytes, too few for {restarts} restarts");
    }

    private static HashSet<uint> Restarts(ReadOnlySpan<byte> list)
    {
        HashSet<uint> restarts = [];
        for (int i = 0; i < list.Length; i += 4)
        {
            restarts.Add(BinaryPrimitives.ReadUInt32LittleEndian(list[i..]));
        }

        return restarts;
    }
}
