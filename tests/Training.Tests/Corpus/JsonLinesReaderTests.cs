using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class JsonLinesReaderTests
{
    private const string Good = "{\"id\":7,\"text\":\"One.\\nTwo \\u00e9.\"}\n";

    [Fact]
    public void Fields_are_found_by_name_and_path()
    {
        string lines = Good + "\n \r\n{\"text\":\"x\\r\\n\\r\\n y \",\"id\":\"b\",\"other\":{\"text\":\"not this\"}}\n{\"text\":\"c\"}";
        var (documents, rejects) = Read("t.jsonl", lines);
        Assert.Empty(rejects);
        Assert.Equal([new("7", "One.\nTwo é.", "t.jsonl"), new("b", "x\ny", "t.jsonl"), new("t.jsonl:5", "c", "t.jsonl")], documents);

        string nested = "{\"put\":\"x\",\"fields\":{\"id\":\"0\",\"text\":\"inside\"}}\n{\"fields.text\":\"literal\"}";
        documents = Read("t.jsonl", nested, Options() with { TextField = "fields.text" }).Documents;
        Assert.Equal(["inside", "literal"], documents.Select(document => document.Text));
    }

    [Theory]
    [InlineData("{\"text\":\"x\"", "broken-json", 0)]
    [InlineData("{\"text\":\"x\"} {\"text\":\"y\"}", "broken-json", 13)]
    [InlineData("{\"text\":\"x\",}", "broken-json", 0)]
    [InlineData("[\"text\"]", "broken-json", 0)]
    [InlineData("nonsense", "broken-json", 0)]
    [InlineData("{\"body\":\"x\",\"id\":1}", "no-text-field", 0)]
    [InlineData("{\"text\":null}", "text-not-a-string", 0)]
    [InlineData("{\"text\":\"\\ud800 x\"}", "invalid-string", 0)]
    public void A_line_that_is_no_document_is_rejected_alone(string line, string reason, int offset)
    {
        var (documents, rejects) = Read("t.jsonl", Good + line + "\n" + Good);
        Assert.Equal(2, documents.Count);
        Reject reject = Assert.Single(rejects);
        Assert.Equal((reason, 2L), (reject.Reason, reject.Line));
        Assert.InRange(reject.Offset, Good.Length + offset, Good.Length + line.Length);
    }

    [Fact]
    public void A_missing_field_says_which_there_are()
    {
        Reject reject = Assert.Single(Read("t.jsonl", "{\"body\":\"x\",\"id\":1}").Rejects);
        Assert.Contains("no field \"text\"; there are \"body\", \"id\"", reject.Detail);
    }

    [Fact]
    public void Invalid_utf8_inside_json_is_named_by_byte()
    {
        Reject reject = Assert.Single(Read("t.jsonl", [.. "{\"text\":\"a"u8, 0xFF, .. "b\"}"u8]).Rejects);
        Assert.Equal(("invalid-utf8", 1L, 10L), (reject.Reason, reject.Line, reject.Offset));
    }

    [Fact]
    public void The_content_tells_the_format_where_the_name_does_not()
    {
        Assert.Equal("One.\nTwo é.", Assert.Single(Read("data.part", Good).Documents).Text);
        Assert.Equal("One.\nTwo é.", Assert.Single(Read("data.gz", Gzip(Encoding.UTF8.GetBytes(Good))).Documents).Text);
        Assert.Contains("text", Assert.Single(Read("data.txt", Good).Documents).Text);
    }

    [Fact]
    public void A_truncated_file_gives_what_is_before_the_damage()
    {
        // Noise in the text, so that compressed bytes follow the documents closely.
        var random = new CounterRandom(3, 0);
        var lines = new StringBuilder();
        for (int i = 0; i < 2_000; i++)
        {
            lines.Append($"{{\"id\":{i},\"text\":\"{random.NextUInt64():x} {random.NextUInt64():x}\"}}\n");
        }

        byte[] bytes = Encoding.UTF8.GetBytes(lines.ToString());
        List<Document> all = Read("t.jsonl", bytes).Documents;
        foreach (byte[] whole in (byte[][])[Gzip(bytes[..9_000], bytes[9_000..]), Zstd(bytes[..9_000], bytes[9_000..])])
        {
            Assert.Equal(all, Read("t.jsonl", whole).Documents);
            var (documents, rejects) = Read("t.jsonl", whole.AsSpan(0, whole.Length / 2));
            Assert.Equal("damaged-file", Assert.Single(rejects).Reason);
            Assert.InRange(documents.Count, 100, 1_500);
            Assert.Equal(all[..documents.Count], documents);
        }
    }

    [Theory]
    [InlineData("dolma_multiple_files_cc_en_head-0091.jsonl.gz", "text", 10)]
    [InlineData("vespa_docs.jsonl.gz", "fields.text", 1000)]
    [InlineData("dolma_formats_test.jsonl.zst", "message", 1)]
    public void Real_files_of_other_projects_are_read(string name, string field, int count)
    {
        var (documents, rejects) = Read(SharedData.Require("data/formats/jsonl/" + name), Options() with { TextField = field });
        Assert.Empty(rejects);
        Assert.Equal(count, documents.Count);
        Assert.All(documents, document => Assert.NotEmpty(document.Text));
    }
}
