using System.Buffers;

namespace ElectraPipeline.Training.Shards;

/// <summary>Records that wait to be written to a shard, in blocks of a common pool: as many as there are records for.</summary>
internal sealed class ExampleBuffer(ShardWriter writer)
{
    /// <summary>Little enough to stay near the processor until it is written.</summary>
    private const int BlockBytes = 1 << 17;

    private readonly ShardHeader header = writer.Header;
    private readonly int recordsPerBlock = Math.Max(1, BlockBytes / writer.Header.Stride);
    private readonly List<byte[]> blocks = [];
    private int inLast;
    private long textTokens;

    /// <summary>Takes an example; see <see cref="ExampleReceiver"/>.</summary>
    public void Add(ReadOnlySpan<int> ids, int secondSegmentStart)
    {
        if (blocks.Count == 0 || inLast == recordsPerBlock)
        {
            blocks.Add(ArrayPool<byte>.Shared.Rent(recordsPerBlock * header.Stride));
            inLast = 0;
        }

        ShardRecord.Write(header, ids, secondSegmentStart, blocks[^1].AsSpan(inLast * header.Stride, header.Stride));
        textTokens += ShardRecord.TextTokens(ids, secondSegmentStart);
        inLast++;
    }

    /// <summary>Writes the examples in order and forgets them.</summary>
    public void Flush()
    {
        for (int i = 0; i < blocks.Count; i++)
        {
            int records = i < blocks.Count - 1 ? recordsPerBlock : inLast;
            writer.AddRecords(blocks[i].AsSpan(0, records * header.Stride), textTokens);
            textTokens = 0;
            ArrayPool<byte>.Shared.Return(blocks[i]);
        }

        blocks.Clear();
    }

    /// <summary>The same, once a block is full: then a write costs nothing beside its examples.</summary>
    public void FlushIfFull()
    {
        if (blocks.Count > 1)
        {
            Flush();
        }
    }
}
