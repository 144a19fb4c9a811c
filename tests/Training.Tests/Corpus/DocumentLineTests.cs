using System.Buffers;
using System.Text;
using System.Text.Json;
using ElectraPipeline.Training.Corpus;
using Xunit;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Lines of documents held against a general parser, and white space folded in blocks against folding by the character.</summary>
public sealed class DocumentLineTests
{
    private static readonly string[] Pieces =
    [
        "a",
        "word ",
        "\n",
        "\"",
        "\\",
        "\t",
        "\u0001",
        "\u001F",
        "\u007F",
        "\u0085",
        "\u00A0",
        "\u1680",
        "\u2003",
        "\u2019",
        "\u2028",
        "\u202F",
        "\u205F",
        "\u3000",
        "ä",
        "日本",
        "😀",
        "\",\"text\":\"",
        "\",\"source\":\"",
        "\"}",
        "\\n",
        "  ",
        "\r\n",
        "a longer piece of plain text",
    ];

    [Fact]
    public void A_line_is_json_and_gives_the_document_back()
    {
        for (ulong i = 0; i < 2_000; i++)
        {
            var document = new Document(Text(3 * i), Text((3 * i) + 1), Text((3 * i) + 2));
            var output = new ArrayBufferWriter<byte>();
            DocumentLine.Write(document, output);
            ReadOnlySpan<byte> line = output.WrittenSpan[..^1];
            Assert.Equal((byte)'\n', output.WrittenSpan[^1]);
            Assert.Equal(-1, line.IndexOf((byte)'\n'));
            Assert.Equal(document, DocumentLine.Read(line));
            Assert.Equal(document, JsonSerializer.Deserialize<Document>(line, JsonSerializerOptions.Web));
        }
    }

    [Theory]
    [InlineData("""{"id":"a","text":"b"}""")]
    [InlineData("""{"id":"a","text":"b\q","source":"c"}""")]
    [InlineData("""{"id":"a","text":"b\","source":"c"}""")]
    [InlineData("""{"id":"a","text":"\u12","source":"c"}""")]
    [InlineData("""{"text":"a","source":"c"}""")]
    public void Other_lines_are_refused(string line) => Assert.Throws<JsonException>(() => DocumentLine.Read(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void White_space_is_folded_as_by_the_character()
    {
        for (ulong i = 0; i < 5_000; i++)
        {
            string text = Text(i);
            string expected = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            byte[] folded = new byte[utf8.Length + WhiteSpaceFolding.Slack];
            Assert.Equal(expected, Encoding.UTF8.GetString(folded.AsSpan(0, WhiteSpaceFolding.Fold(utf8, folded))));
            Assert.Equal(expected, DocumentText.Fold(text));
            Assert.Equal(DocumentText.Hash(utf8), DocumentText.Hash(expected));
        }
    }

    [Fact]
    public void A_text_in_the_form_of_documents_is_normalized_to_itself()
    {
        for (ulong i = 0; i < 2_000; i++)
        {
            string text = Text(i);
            string normalized = DocumentText.Normalize(text);
            Assert.Equal(DocumentText.Normalize(text.AsSpan()), normalized);
            Assert.Same(normalized, DocumentText.Normalize(normalized));
        }
    }

    private static string Text(ulong number)
    {
        var random = new CounterRandom(1, number);
        return string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => Pieces[random.Next(Pieces.Length)]));
    }
}
