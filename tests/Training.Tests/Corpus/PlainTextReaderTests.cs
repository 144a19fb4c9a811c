using System.Text;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class PlainTextReaderTests
{
    private static readonly string[] Expected = ["First line.\nSecond, größer 漢 😀.", "Another document."];

    private const string Text = "\nFirst line.\n  Second, größer 漢 😀.\t\n\n \t\nAnother document.";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_blank_line_ends_a_document(bool carriageReturns)
    {
        var (documents, rejects) = Read("t.txt", carriageReturns ? Text.Replace("\n", "\r\n") : Text);
        Assert.Empty(rejects);
        Assert.Equal(Expected, documents.Select(document => document.Text));
        Assert.Equal(["t.txt:2", "t.txt:6"], documents.Select(document => document.Id));
        Assert.All(documents, document => Assert.Equal("t.txt", document.Source));
    }

    [Fact]
    public void Without_blank_lines_the_whole_file_is_one()
    {
        Document document = Assert.Single(Read("t.txt", Text, Options() with { BlankLineEndsDocument = false }).Documents);
        Assert.Equal(string.Join('\n', Expected), document.Text);
    }

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void Byte_order_marks_are_obeyed(string name)
    {
        Encoding encoding = Encoding.GetEncoding(name);
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes(Text)];
        foreach (byte[] file in (byte[][])[bytes, Gzip(bytes[..7], bytes[7..]), Zstd(bytes)])
        {
            var (documents, rejects) = Read("t", file);
            Assert.Empty(rejects);
            Assert.Equal(Expected, documents.Select(document => document.Text));
        }
    }

    [Fact]
    public void What_is_not_utf8_is_named_by_byte_and_spoils_only_its_document()
    {
        byte[] bytes = [.. "Good.\n\nBad "u8, 0xE9, .. " here.\nmore\n\nGood again."u8];
        var (documents, rejects) = Read("t.txt", bytes);
        Assert.Equal(["Good.", "Good again."], documents.Select(document => document.Text));
        Reject reject = Assert.Single(rejects);
        Assert.Equal(("invalid-utf8", "t.txt", 3L, 11L), (reject.Reason, reject.Source, reject.Line, reject.Offset));
        Assert.Contains("0xE9", reject.Detail);
    }

    [Fact]
    public void A_binary_file_is_no_text()
    {
        Reject reject = Assert.Single(Read("t.txt", "abc\0def"u8).Rejects);
        Assert.Equal(("nul-byte", 3L), (reject.Reason, reject.Offset));
    }

    [Fact]
    public void Half_a_surrogate_pair_in_utf16_is_damage()
    {
        byte[] bytes = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("One.\n\n"), 0x00, 0xD8, 0x20, 0x00];
        Assert.Equal("damaged-file", Assert.Single(Read("t.txt", bytes).Rejects).Reason);
    }

    [Fact]
    public void A_document_without_end_goes_on_as_another()
    {
        string line = new('a', 99);
        string text = string.Concat(Enumerable.Repeat(line + "\n", 10));
        var (documents, _) = Read("t.txt", text, Options() with { MaxDocumentBytes = 250 });
        Assert.Equal([3, 3, 3, 1], documents.Select(document => document.Text.Split('\n').Length));
    }

    [Fact]
    public void Lines_are_cut_right_at_any_buffer_size()
    {
        byte[] bytes = "a\r\n\nbcd\n0123456789\nxy"u8.ToArray();
        for (int max = 3; max < 12; max++)
        {
            var lines = new LineReader(new MemoryStream(bytes), 5, max);
            var seen = new List<(string, long, long, bool)>();
            while (lines.Read())
            {
                seen.Add((Encoding.UTF8.GetString(lines.Line.Span), lines.Number, lines.Offset, lines.Overlong));
            }

            Assert.Equal(
                [
                    ("a", 1, 5, false),
                    ("", 2, 8, false),
                    ("bcd", 3, 9, false),
                    (max < 10 ? "" : "0123456789", 4, 13, max < 10),
                    ("xy", 5, 24, false),
                ],
                seen
            );
        }
    }
}
