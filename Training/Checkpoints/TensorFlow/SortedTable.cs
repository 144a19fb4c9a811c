using System.Buffers.Binary;

namespace ElectraPipeline.Training.Checkpoints.TensorFlow;

/// <summary>A key of a table and its value.</summary>
internal sealed record TableEntry(byte[] Key, ReadOnlyMemory<byte> Value);

/// <summary>
/// A file of sorted keys and values in LevelDB's table format (google/leveldb, doc/table_format.md), as TensorFlow writes the index of a
/// checkpoint: blocks of prefix-compressed entries with restart points, each with a checksum and packed by Snappy or not, a block that
/// names the blocks, and a footer.
/// </summary>
internal sealed class SortedTable
{
    private const ulong Magic = 0xDB4775248B80FB57;
    private const int FooterBytes = 48;
    private const int TrailerBytes = 5;
    private const byte Plain = 0;
    private const byte PackedBySnappy = 1;
    private const long MostBytes = 1 << 28; // the index of the largest published model is under 1 MB
    private readonly string path;
    private readonly byte[] file;

    private SortedTable(string path, byte[] file)
    {
        this.path = path;
        this.file = file;
    }

    /// <summary>All entries of a file in the order of their keys, every checksum checked.</summary>
    /// <exception cref="PermanentException">The file is missing or damaged; the message names it and the byte.</exception>
    public static IReadOnlyList<TableEntry> Read(string path)
    {
        FileInfo info = new(path);
        if (!info.Exists)
        {
            throw new PermanentException($"{path}: there is no such file");
        }

        return info.Length <= MostBytes
            ? new SortedTable(path, File.ReadAllBytes(path)).ReadAll()
            : throw new PermanentException($"{path}: {info.Length} bytes; the index of a checkpoint has {MostBytes} at most");
    }

    private List<TableEntry> ReadAll()
    {
        (BlockPlace metadata, BlockPlace index) = ReadFooter();
        _ = Entries(metadata); // says nothing here, but damage to it is damage to the file
        List<TableEntry> all = [];
        foreach (TableEntry block in Entries(index))
        {
            List<TableEntry> entries = Entries(PlaceIn(block.Value.Span, index.Offset));
            if (entries.Count > 0 && entries[^1].Key.AsSpan().SequenceCompareTo(block.Key) > 0)
            {
                throw Fault(index.Offset, "the index gives a block's last key before the key it has");
            }

            all.AddRange(entries);
        }

        for (int i = 1; i < all.Count; i++)
        {
            if (all[i].Key.AsSpan().SequenceCompareTo(all[i - 1].Key) <= 0)
            {
                throw new PermanentException($"{path}: entry {i} is not behind entry {i - 1} in the order of keys");
            }
        }

        return all;
    }

    private (BlockPlace Metadata, BlockPlace Index) ReadFooter()
    {
        if (file.Length < FooterBytes)
        {
            throw Fault(0, $"the file has {file.Length} bytes, fewer than the {FooterBytes} of a footer: truncated, or not an index");
        }

        int start = file.Length - FooterBytes;
        ReadOnlySpan<byte> footer = file.AsSpan(start);
        if (BinaryPrimitives.ReadUInt64LittleEndian(footer[^8..]) is var magic && magic != Magic)
        {
            throw Fault(file.Length - 8, $"the file ends with {magic:x16}, not {Magic:x16}: truncated, or not the index of a checkpoint");
        }

        int at = 0;
        BlockPlace metadata = PlaceIn(footer, start, ref at),
            index = PlaceIn(footer, start, ref at);
        if (footer[at..^8].ContainsAnyExcept((byte)0))
        {
            throw Fault(start + at, "the rest of the footer is not zero");
        }

        return (metadata, index);
    }

    private BlockPlace PlaceIn(ReadOnlySpan<byte> bytes, long offset)
    {
        int at = 0;
        return PlaceIn(bytes, offset, ref at);
    }

    private BlockPlace PlaceIn(ReadOnlySpan<byte> bytes, long offset, ref int at)
    {
        try
        {
            ulong start = Varint.Read(bytes, ref at),
                length = Varint.Read(bytes, ref at);
            ulong room = (ulong)(file.Length - FooterBytes);
            return start <= room && length <= room && start + length + TrailerBytes <= room
                ? new BlockPlace((int)start, (int)length)
                : throw Fault(offset, $"names a block of {length} bytes at byte {start}; blocks end at byte {room}");
        }
        catch (InvalidDataException fault)
        {
            throw Fault(offset, $"the place of a block {fault.Message}");
        }
    }

    private List<TableEntry> Entries(BlockPlace place)
    {
        try
        {
            return TableBlock.Parse(Contents(place));
        }
        catch (InvalidDataException fault)
        {
            throw Fault(place.Offset, $"the block here {fault.Message}");
        }
    }

    private ReadOnlyMemory<byte> Contents(BlockPlace place)
    {
        ReadOnlySpan<byte> stored = file.AsSpan(place.Offset, place.Length + 1); // the checksum covers the kind of packing too
        uint expected = BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(place.Offset + place.Length + 1));
        if (Crc32C.MaskedOf(stored) is var found && found != expected)
        {
            throw new InvalidDataException($"has checksum {found:x8}, the file says {expected:x8}: damaged");
        }

        return stored[^1] switch
        {
            Plain => file.AsMemory(place.Offset, place.Length),
            PackedBySnappy => Snappy.Unpack(stored[..^1]),
            byte kind => throw new InvalidDataException($"is packed in a way, {kind}, that is neither none (0) nor Snappy (1)"),
        };
    }

    private PermanentException Fault(long offset, string what) => new($"{path}, byte {offset}: {what}");

    private readonly record struct BlockPlace(int Offset, int Length);
}
