using Parquet.Meta;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>What the header of a page says that bears on memory.</summary>
/// <param name="Type">Data of version 1 or 2, a dictionary, or an index; -1 if it says nothing.</param>
/// <param name="UncompressedBytes">What the page grows to, levels included.</param>
/// <param name="CompressedBytes">What it takes in the file behind its header.</param>
/// <param name="Values">Values of a data page; 0 for others.</param>
/// <param name="LevelBytes">What stands before the compressed bytes of a data page of version 2.</param>
/// <param name="IsCompressed">Whether the column's compression applies.</param>
internal readonly record struct ParquetPageHeader(
    PageType Type,
    int UncompressedBytes,
    int CompressedBytes,
    int Values,
    int LevelBytes,
    bool IsCompressed
)
{
    private const int DataPage = 5;
    private const int DataPageVersion2 = 8;

    /// <summary>Reads a header and leaves the stream behind it.</summary>
    /// <exception cref="InvalidDataException">The bytes are no header.</exception>
    public static ParquetPageHeader Read(Stream stream)
    {
        var header = new ParquetPageHeader((PageType)(-1), -1, -1, 0, 0, IsCompressed: true);
        var thrift = new CompactThrift(stream);
        for (int field = 0; thrift.NextField(ref field, out int kind); )
        {
            header = field switch
            {
                1 => header with { Type = (PageType)thrift.Int32(kind) },
                2 => header with { UncompressedBytes = thrift.Int32(kind) },
                3 => header with { CompressedBytes = thrift.Int32(kind) },
                DataPage or DataPageVersion2 => ReadData(thrift, kind, field, header),
                _ => thrift.Skip(kind, header),
            };
        }

        return header;
    }

    private static ParquetPageHeader ReadData(CompactThrift thrift, int kind, int page, ParquetPageHeader header)
    {
        thrift.Expect(kind, CompactThrift.Struct);
        for (int field = 0; thrift.NextField(ref field, out int inner); )
        {
            header = (page, field) switch
            {
                (_, 1) => header with { Values = thrift.Int32(inner) },
                (DataPageVersion2, 5 or 6) => header with { LevelBytes = checked(header.LevelBytes + thrift.Int32(inner)) },
                (DataPageVersion2, 7) => header with { IsCompressed = inner == CompactThrift.True },
                _ => thrift.Skip(inner, header),
            };
        }

        return header;
    }
}
