namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>What the empty key of an index says: TensorFlow's BundleHeaderProto.</summary>
/// <param name="Shards">Data files.</param>
/// <param name="IsLittleEndian">Byte order of the values.</param>
internal sealed record BundleHeader(int Shards, bool IsLittleEndian)
{
    /// <summary>Reads the message.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public static BundleHeader Parse(ReadOnlySpan<byte> message)
    {
        BundleHeader header = new(Shards: 0, IsLittleEndian: true);
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            header = reader.Field switch
            {
                1 => header with { Shards = (int)Math.Min(reader.Number(), int.MaxValue) },
                2 => header with { IsLittleEndian = reader.Number() == 0 },
                _ => header,
            };
        }

        return header;
    }
}

/// <summary>Where a tensor lies: TensorFlow's BundleEntryProto.</summary>
internal sealed record BundleEntry
{
    /// <summary>Number of the element type in TensorFlow's DataType.</summary>
    public int Type { get; private set; }

    /// <summary>Its shape; empty for a single number.</summary>
    public IReadOnlyList<long> Shape { get; private set; } = [];

    /// <summary>Number of its data file.</summary>
    public long Shard { get; private set; }

    /// <summary>First byte in that file.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Masked checksum of the bytes.</summary>
    public uint Checksum { get; private set; }

    /// <summary>Parts of a partitioned variable, which lie under keys of their own; 0: the tensor is whole.</summary>
    public int Slices { get; private set; }

    /// <summary>Reads the message.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public static BundleEntry Parse(ReadOnlySpan<byte> message)
    {
        BundleEntry entry = new();
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    entry.Type = (int)Math.Min(reader.Number(), int.MaxValue);
                    break;
                case 2:
                    entry.Shape = ParseShape(reader.Bytes());
                    break;
                case 3:
                    entry.Shard = reader.Size();
                    break;
                case 4:
                    entry.Offset = reader.Size();
                    break;
                case 5:
                    entry.Bytes = reader.Size();
                    break;
                case 6:
                    entry.Checksum = reader.Fixed32();
                    break;
                case 7:
                    entry.Slices++;
                    break;
            }
        }

        return entry;
    }

    private static List<long> ParseShape(ReadOnlySpan<byte> message)
    {
        List<long> shape = [];
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            if (reader.Field == 2)
            {
                shape.Add(ParseDimension(reader.Bytes()));
            }
            else if (reader.Field == 3 && reader.Number() != 0)
            {
                throw new InvalidDataException("has a shape of unknown rank");
            }
        }

        return shape;
    }

    private static long ParseDimension(ReadOnlySpan<byte> message)
    {
        long size = 0;
        ProtoReader reader = new(message);
        while (reader.Next())
        {
            size = reader.Field == 1 ? reader.Size() : size;
        }

        return size >= 0 ? size : throw new InvalidDataException("has a dimension of unknown size");
    }
}
