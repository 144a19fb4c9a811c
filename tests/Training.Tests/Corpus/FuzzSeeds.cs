using System.IO.Compression;
using System.Text;
using Parquet;
using Parquet.Serialization;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Sound little files of every format, which fuzzing damages.</summary>
internal static class FuzzSeeds
{
    /// <summary>Files of a format, as they are and in every compression.</summary>
    public static byte[][] Of(string format)
    {
        byte[][] plain = format switch
        {
            "text" => [Utf8(Text), [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Text)]],
            "jsonl" => [Utf8(Repeat(i => $"{{\"id\":{i},\"text\":\"Größe \\u00e9 {i}.\\nTwo.\",\"x\":[1,{{}}]}}\n"))],
            "dotnet-xml-docs" => [Utf8($"<doc><assembly><name>A</name></assembly><members>{Repeat(Member)}</members></doc>")],
            "mediawiki" => [Utf8(Wiki), [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(Wiki)]],
            "warc" => [Warc()],
            "arc" => [Arc()],
            _ => throw new ArgumentException(format, nameof(format)),
        };
        return
        [
            .. plain,
            .. plain.Select(bytes => Gzip(bytes[..50], bytes[50..])),
            .. plain.Select(bytes => Zstd(bytes[..50], bytes[50..])),
            .. plain.Select(bytes => BZip2(bytes[..50], bytes[50..])),
        ];
    }

    /// <summary>Tables in several codecs.</summary>
    public static async Task<byte[][]> TablesAsync(CancellationToken cancellationToken)
    {
        var tables = new List<byte[]>();
        foreach (
            CompressionMethod method in (CompressionMethod[])
                [CompressionMethod.None, CompressionMethod.Snappy, CompressionMethod.Zstd, CompressionMethod.Gzip]
        )
        {
            using var stream = new MemoryStream();
            var options = new ParquetOptions { CompressionMethod = method, RowGroupSize = 20 };
            IEnumerable<Row> rows = Enumerable
                .Range(0, 50)
                .Select(i => new Row
                {
                    id = i,
                    text = i % 7 == 0 ? null : $"Row {i} größer.",
                    tags = [$"t{i}"],
                });
            await ParquetSerializer.SerializeAsync(rows, stream, options, cancellationToken: cancellationToken);
            tables.Add(stream.ToArray());
        }

        return [.. tables];
    }

    private static string Text => Repeat(i => $"Zeile {i} größer 漢 😀.\r\n{(i % 3 == 0 ? "\r\n" : "")}");

    private static string Wiki =>
        "<mediawiki><siteinfo><namespaces><namespace key=\"6\">Datei</namespace></namespaces></siteinfo>"
        + Repeat(i =>
            $"<page><title>P{i}</title><ns>{i % 5 / 4}</ns><id>{i}</id><revision><text xml:space=\"preserve\">'''A''' "
            + $"{{{{t|{{{{{{1}}}}}}}}}} [[Datei:x|[[b]]]] "
            + $"[[c|d{i}]]\n== H ==\n{{|\n| x\n|}}\n&lt;ref&gt;r&lt;/ref&gt; * e\n</text></revision></page>\n"
        )
        + "</mediawiki>";

    private static string Member(int number) =>
        $"<member name=\"M:A.B{number}.C(System.Int32)\"><summary>Gets <see cref=\"T:A.D`1\"/> &lt; {number}. Then "
        + "more.</summary></member>\n";

    private static byte[] Warc()
    {
        byte[] html = Utf8(
            "<html><head><meta charset=utf-8><script>a<b</script></head><body><nav>n</nav><p>Größe &amp; "
                + "<b>mehr</b>.<table><tr><td>x</table></body></html>"
        );
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(html);
        }

        byte[] chunked = [.. Utf8($"{compressed.Length:x}\r\n"), .. compressed.ToArray(), .. "\r\n0\r\n\r\n"u8];
        return
        [
            .. Record("warcinfo", "application/warc-fields", Utf8("software: x\r\n")),
            .. Record("response", "application/http", [.. "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"u8, .. html]),
            .. Record(
                "response",
                "application/http",
                [
                    .. "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"u8,
                    .. chunked,
                ]
            ),
            .. Record("conversion", "text/plain", Utf8(Text)),
            .. Record("request", "application/http", Utf8("GET / HTTP/1.1\r\n\r\n")),
        ];
    }

    private static byte[] Record(string type, string mediaType, byte[] block) =>
        [
            .. Utf8(
                $"WARC/1.0\r\nWARC-Type: {type}\r\nWARC-Target-URI: http://a.b/{type}\r\nContent-Type: "
                    + $"{mediaType}\r\nContent-Length: {block.Length}\r\n\r\n"
            ),
            .. block,
            .. "\r\n\r\n"u8,
        ];

    private static byte[] Arc()
    {
        byte[] page = Utf8("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>One page.");
        byte[] head = Utf8("1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n");
        return
        [
            .. Utf8($"filedesc://t.arc 127.0.0.1 20140216050221 text/plain {head.Length}\n"),
            .. head,
            .. "\n"u8,
            .. Enumerable
                .Range(0, 5)
                .SelectMany(i =>
                    (byte[])[.. Utf8($"http://a.b/{i} c 127.0.0.1 20140216050221 text/html {page.Length}\n"), .. page, .. "\n"u8]
                ),
        ];
    }

    private static string Repeat(Func<int, string> line) => string.Concat(Enumerable.Range(0, 20).Select(line));

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private sealed class Row
    {
        public long id { get; set; }

        public string? text { get; set; }

        public List<string> tags { get; set; } = [];
    }
}
