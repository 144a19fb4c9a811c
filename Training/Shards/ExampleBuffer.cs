namespace ElectraPipeline.Training.Shards;

/// <summary>Records that wait to be written to a shard.</summary>
internal sealed class ExampleBuffer(ShardWriter writer)
{
    /// <summary>What <see cref="FlushIfFull"/> lets wait: little enough to stay near the processor.</summary>
    private const int FullBytes = 1 << 17;

    private readonly ShardHeader header = writer.Header;
    private byte[] records = [];
    private int length;
    private long textTokens;

    /// <summary>Takes an example; see <see cref="ExampleReceiver"/>.</summary>
    public void Add(ReadOnlySpan<int> ids, int secondSegmentStart)
    {
        if (length + header.Stride > records.Length)
        {
            Array.Resize(ref records, Math.Max(2 * FullBytes, (2 * records.Length) + header.Stride));
        }

        ShardRecord.Write(header, ids, secondSegmentStart, records.AsSpan(length, header.Stride));
        textTokens += ShardRecord.TextTokens(ids, secondSegmentStart);
        length += header.Stride;
    }

    /// <summary>Writes the examples in order and forgets them.</summary>
    public void Flush()
    {
        writer.AddRecords(records.AsSpan(0, length), textTokens);
        length = 0;
        textTokens = 0;
    }

    /// <summary>The same, once there are enough of them that a write costs nothing beside them.</summary>
    public void FlushIfFull()
    {
        if (length >= FullBytes)
        {
            Flush();
        }
    }
}
