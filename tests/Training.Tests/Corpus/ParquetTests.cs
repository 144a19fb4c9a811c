using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;
using Parquet;
using Parquet.Serialization;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class ParquetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Rows_of_all_groups_are_documents_and_nested_columns_are_told()
    {
        string path = await Write(25, rowGroupSize: 10);
        var (documents, rejects) = Read(path);
        Assert.Empty(rejects);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"{i}"), documents.Select(document => document.Id));
        Assert.Equal("Row 24.\nSecond line.", documents[24].Text);
        Assert.Equal("", documents[3].Text);
        Assert.Equal(new Dictionary<string, int> { ["nested-columns"] = 1 }, Skips(path));
    }

    [Fact]
    public async Task The_column_is_chosen_by_name()
    {
        string path = await Write(5, rowGroupSize: 10);
        Assert.Equal("Title 4", Read(path, Options() with { TextField = "title" }).Documents[4].Text);
        Assert.Equal(
            ("no-text-field", "no column \"body\"; there are \"id\", \"title\", \"text\", \"year\" (option corpus.textField)"),
            Fault(path, "body")
        );
        Assert.Equal(("text-not-a-string", "the column \"year\" holds Int32, not strings (option corpus.textField)"), Fault(path, "year"));
        Assert.Equal("nested-text-column", Fault(path, "tags").Reason);
    }

    [Fact]
    public async Task A_damaged_row_group_costs_its_own_rows()
    {
        string path = await Write(3_000, rowGroupSize: 1_000);
        byte[] bytes = File.ReadAllBytes(path);
        long place = bytes.AsSpan().IndexOf("Row 1500."u8);
        Assert.True(place > 0);
        bytes.AsSpan((int)place - sizeof(int), sizeof(int)).Fill(0x7F);
        var (documents, rejects) = Read("x", bytes);
        Reject reject = Assert.Single(rejects);
        Assert.Equal(("damaged-row-group", 1001L), (reject.Reason, reject.Line));
        Assert.InRange(reject.Offset, 1, place);
        Assert.Equal(2_000, documents.Count);
    }

    /// <summary>
    /// A page of 40 MB of one letter, in some thousand bytes, that says to hold less, or more than any column may. What is taken for it is
    /// measured: the package would take all of it.
    /// </summary>
    [Theory]
    [InlineData(CompressionMethod.Gzip, 1_000, "holds more")]
    [InlineData(CompressionMethod.Zstd, 1_000, "holds more")]
    [InlineData(CompressionMethod.Brotli, 1_000, "holds more")]
    [InlineData(CompressionMethod.Snappy, 1_000, "holds more")]
    [InlineData(CompressionMethod.Gzip, 60_000_000, "holds fewer")]
    [InlineData(CompressionMethod.Zstd, 60_000_000, "holds fewer")]
    [InlineData(CompressionMethod.Gzip, -5, "which cannot be")]
    public async Task A_page_that_lies_about_its_size_is_refused(CompressionMethod compression, int told, string message)
    {
        const int Letters = 40_000_000;
        byte[] bytes = File.ReadAllBytes(await Write([new Row { text = new string('a', Letters) }], 10, compression));

        // The size is the header's second field, behind the type: a number of four bytes, whose sign is its last bit.
        ReadOnlySpan<byte> before = [0x15, 0x00, 0x15];
        long page = -1;
        for (int at = 0; page < 0; at++)
        {
            at += bytes.AsSpan(at).IndexOf(before);
            page = Varint(bytes, at + 3) / 2 is >= Letters and < Letters + 100 ? at : -1;
        }

        uint value = told < 0 ? (uint)(-told * 2 - 1) : (uint)told * 2;
        for (int i = 0; i < 4; i++)
        {
            bytes[page + 3 + i] = (byte)(((value >> (7 * i)) & 0x7F) | (i < 3 ? 0x80u : 0));
        }

        string path = folder.Write("lies.parquet", bytes);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Reject reject = Assert.Single(Read(path).Rejects);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.Equal(("damaged-row-group", "lies.parquet", page), (reject.Reason, reject.Source, reject.Offset));
        Assert.Contains($"the page at byte {page} says to", reject.Detail);
        Assert.Contains(message, reject.Detail);
        Assert.InRange(allocated, 0, Letters / 4);
    }

    /// <summary>A header of a million lists in lists would end the process where each is a call.</summary>
    [Theory]
    [InlineData(0x99, 0x19)]
    [InlineData(0x9C, 0x1C)]
    public void A_header_of_endless_depth_is_refused(byte field, byte inner)
    {
        using var header = new MemoryStream([field, .. Enumerable.Repeat(inner, 1 << 20)]);
        Assert.Throws<InvalidDataException>(() => ParquetPageHeader.Read(header));
    }

    private static long Varint(ReadOnlySpan<byte> bytes, int at)
    {
        long value = 0;
        for (int i = 0; i < 4; i++)
        {
            value |= (bytes[at + i] & 0x7FL) << (7 * i);
        }

        return value;
    }

    [Fact]
    public async Task A_file_cut_short_or_compressed_is_refused_with_the_reason()
    {
        byte[] bytes = File.ReadAllBytes(await Write(100, rowGroupSize: 50));
        Assert.Equal("damaged-file", Assert.Single(Read("x", bytes.AsSpan(0, bytes.Length - 9)).Rejects).Reason);
        Assert.Equal("damaged-file", Assert.Single(Read("x", bytes.AsSpan(0, 4)).Rejects).Reason);
        Assert.Equal("compressed-table", Assert.Single(Read("x", Gzip(bytes)).Rejects).Reason);
    }

    private static (string Reason, string Detail) Fault(string path, string column)
    {
        Reject reject = Assert.Single(Read(path, Options() with { TextField = column }).Rejects);
        return (reject.Reason, reject.Detail);
    }

    private Task<string> Write(int rows, int rowGroupSize) =>
        Write(
            Enumerable
                .Range(0, rows)
                .Select(i => new Row
                {
                    id = i,
                    title = $"Title {i}",
                    text = i == 3 ? null : $"Row {i}.\nSecond line.",
                    year = 2000 + i,
                    tags = [$"t{i}"],
                }),
            rowGroupSize,
            CompressionMethod.None
        );

    private async Task<string> Write(IEnumerable<Row> table, int rowGroupSize, CompressionMethod compression)
    {
        string path = folder["table.parquet"];
        await using FileStream stream = File.Create(path);
        var options = new ParquetOptions
        {
            CompressionMethod = compression,
            RowGroupSize = rowGroupSize,
            DictionaryEncodingThreshold = 0,
        };
        await ParquetSerializer.SerializeAsync(table, stream, options, cancellationToken: TestContext.Current.CancellationToken);
        return path;
    }

    private sealed class Row
    {
        public long id { get; set; }

        public string? title { get; set; }

        public string? text { get; set; }

        public int year { get; set; }

        public List<string> tags { get; set; } = [];
    }
}
