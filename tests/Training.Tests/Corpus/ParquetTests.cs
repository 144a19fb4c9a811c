using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
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
        Assert.Equal(("no-text-field", "no column \"body\"; there are \"id\", \"title\", \"text\", \"year\" (option corpus.textField)"), Fault(path, "body"));
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

    private async Task<string> Write(int rows, int rowGroupSize)
    {
        string path = folder["table.parquet"];
        await using FileStream stream = File.Create(path);
        IEnumerable<Row> table = Enumerable.Range(0, rows).Select(i => new Row
        {
            id = i, title = $"Title {i}", text = i == 3 ? null : $"Row {i}.\nSecond line.", year = 2000 + i, tags = [$"t{i}"],
        });
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.None, RowGroupSize = rowGroupSize, DictionaryEncodingThreshold = 0 };
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
