using System.IO.Compression;
using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class WebArchiveTests
{
    private const string Html = "<html><head><title>T</title></head><body><p>Größe zählt.</p></body></html>";

    [Theory]
    [InlineData("warc/jwarc_cc.warc.gz", 1, 0, 0)]
    [InlineData("warc/IAH-urls-wget.warc.gz", 6, 30, 0)]
    [InlineData("warc/aut_example.warc.gz", 130, 692, 0)]
    [InlineData("warc/dolma_sample-0000.warc.gz", 24, 24, 0)]
    [InlineData("warc/resiliparse_clipped.warc.gz", 0, 0, 1)]
    [InlineData("warc/warcio/example.warc", 1, 5, 0)]
    [InlineData("warc/warcio/example.warc.gz", 1, 5, 0)]
    [InlineData("warc/warcio/example-bad-non-chunked.warc.gz", 1, 5, 0)]
    [InlineData("warc/warcio/example-wrong-chunks.warc.gz", 1, 1, 0)]
    [InlineData("warc/warcio/example-iana.org-chunked.warc", 1, 2, 0)]
    [InlineData("warc/warcio/example-trunc.warc", 0, 3, 1)]
    [InlineData("warc/warcio/example-space-in-target-uri.warc.gz", 0, 2, 0)]
    [InlineData("warc/warcio/example-wget-bad-target-uri.warc.gz", 3, 3, 0)]
    [InlineData("warc/warcio/post-test.warc.gz", 0, 6, 0)]
    [InlineData("warc/warcio/example.arc", 1, 1, 0)]
    [InlineData("warc/warcio/example.arc.gz", 1, 1, 0)]
    [InlineData("warc/warcio/example-space-in-url.arc", 0, 1, 1)]
    [InlineData("warc/warcio/bad.arc", 1, 0, 2)]
    [InlineData("wet/cc_net_sample.warc.wet.txt", 3, 1, 0)]
    public void Real_archives_give_documents_skips_and_rejects(string name, int documents, int skips, int rejects)
    {
        string path = SharedData.Require("data/formats/" + name);
        var read = Read(path);
        Assert.Equal((documents, skips, rejects), (read.Documents.Count, Skips(path).Values.Sum(), read.Rejects.Count));
        Assert.All(read.Rejects, reject => Assert.NotEmpty(reject.Detail));
    }

    [Fact]
    public void A_page_is_its_readable_text_under_its_address()
    {
        Document document = Assert.Single(Read(SharedData.Require("data/formats/warc/warcio/example.warc.gz")).Documents);
        Assert.Equal(
            new Document(
                "http://example.com/",
                "Example Domain\nThis domain is established to be used for illustrative examples in documents. You may use this domain in "
                    + "examples without prior coordination or asking for permission.\nMore information...",
                "example.warc.gz"
            ),
            document
        );
    }

    [Fact]
    public void Text_records_whose_line_ends_were_converted_reach_to_the_next_record()
    {
        List<Document> documents = Read(SharedData.Require("data/formats/wet/cc_net_sample.warc.wet.txt")).Documents;
        Assert.Equal("http://sample_english.com", documents[0].Id);
        Assert.StartsWith("Famous Mark Twain Quotes\nDon't part", documents[0].Text);
        Assert.EndsWith("Truth isn't.", documents[0].Text);
        Assert.StartsWith("馬克·吐溫名言\n", documents[1].Text);
    }

    [Theory]
    [InlineData("utf-8", "text/html", "")]
    [InlineData("utf-8", "text/html; charset=iso-8859-1", "")]
    [InlineData("windows-1252", "text/html; charset=\"ISO-8859-1\"", "")]
    [InlineData("windows-1252", "text/html", "<meta charset=latin1>")]
    [InlineData("iso-8859-2", "text/html", "<META http-equiv=Content-Type content='text/html; charset=iso-8859-2'>")]
    [InlineData("windows-1252", "text/html", "")]
    [InlineData("utf-16", "text/html", "")]
    public void The_charset_is_found(string charset, string mediaType, string meta)
    {
        Encoding encoding = CodePagesEncodingProvider.Instance.GetEncoding(charset) ?? Encoding.GetEncoding(charset);
        byte[] page =
        [
            .. charset == "utf-16" ? encoding.GetPreamble() : [],
            .. encoding.GetBytes(Html.Replace("<head>", "<head>" + meta, StringComparison.Ordinal)),
        ];
        Assert.Equal("Größe zählt.", Assert.Single(Read("x", Response(page, $"Content-Type: {mediaType}")).Documents).Text);
    }

    [Fact]
    public void The_charset_of_unlabelled_pages_is_guessed_by_their_bytes()
    {
        string russian = "<p>Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.</p>";
        string japanese = "<p>吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。</p>";
        foreach (
            (string text, string charset) in new[]
            {
                (russian, "windows-1251"),
                (russian, "koi8-r"),
                (japanese, "shift_jis"),
                (japanese, "euc-jp"),
            }
        )
        {
            byte[] page = CodePagesEncodingProvider.Instance.GetEncoding(charset)!.GetBytes(text);
            Assert.Equal(text[3..^4], Assert.Single(Read("x", Response(page, "Content-Type: text/html")).Documents).Text);
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void Bodies_are_decoded_from_chunks_and_compression(string encoding)
    {
        byte[] compressed = Compress(Encoding.UTF8.GetBytes(Html), encoding);
        byte[] chunked =
        [
            .. Encoding.ASCII.GetBytes($"3;a=b\r\n"),
            .. compressed[..3],
            .. Encoding.ASCII.GetBytes($"\r\n{compressed.Length - 3:X}\r\n"),
            .. compressed[3..],
            .. "\r\n0\r\n\r\n"u8,
        ];
        string headers = $"Content-Type: text/html\r\nContent-Encoding: {encoding}";
        foreach (
            byte[] file in (byte[][])
                [
                    Response(compressed, headers),
                    Response(chunked, headers + "\r\ntransfer-encoding: Chunked"),
                    Response(Encoding.UTF8.GetBytes(Html), headers),
                ]
        )
        {
            Assert.Equal("Größe zählt.", Assert.Single(Read("x", file).Documents).Text);
        }
    }

    [Theory]
    [InlineData("3\r\nabc\r\nxyz\r\n", "Transfer-Encoding: chunked", "broken-http", "chunk size at byte 8")]
    [InlineData("3\r\nabc\r\n9\r\nabc\r\n", "Transfer-Encoding: chunked", "broken-http", "chunk at byte 8")]
    [InlineData("\u001f\u008b broken", "Content-Encoding: gzip", "broken-http", "damaged gzip body")]
    public void Broken_bodies_are_rejected_with_the_place(string body, string header, string reason, string detail)
    {
        byte[] good = Response(Encoding.UTF8.GetBytes(Html), "Content-Type: text/html");
        byte[] bad = Response(Encoding.Latin1.GetBytes(body), "Content-Type: text/html\r\n" + header);
        var (documents, rejects) = Read("x", [.. good, .. bad, .. good]);
        Assert.Equal(2, documents.Count);
        Reject reject = Assert.Single(rejects);
        Assert.Equal((reason, (long)good.Length), (reject.Reason, reject.Offset));
        Assert.Contains(detail, reject.Detail);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    public void A_bomb_inside_a_body_is_refused(string encoding)
    {
        byte[] bomb = Compress(new byte[40 << 20], encoding);
        Reject reject = Assert.Single(Read("x", Response(bomb, $"Content-Type: text/html\r\nContent-Encoding: {encoding}")).Rejects);
        Assert.Contains("grows beyond", reject.Detail);
    }

    [Theory]
    [InlineData("Content-Length: 90", "broken-record")]
    [InlineData("Content-Length: 40", "broken-record")]
    [InlineData("Content-Length: many", "broken-record")]
    [InlineData("X: y", "broken-record")]
    [InlineData("Content-Length: 99999999", "record-too-large")]
    public void A_wrong_frame_costs_its_own_record_only(string length, string reason)
    {
        byte[] good = Response(Encoding.UTF8.GetBytes(Html), "Content-Type: text/html");
        string broken = $"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\n{length}\r\n\r\n{new string('x', 60)}\r\n\r\n";
        byte[] after = reason == "record-too-large" ? [] : good;
        var (documents, rejects) = Read("x", [.. good, .. Encoding.ASCII.GetBytes(broken), .. after]);
        Assert.Equal(after.Length > 0 ? 2 : 1, documents.Count);
        Assert.Equal(
            (reason == "record-too-large" ? "truncated-record" : reason, (long)good.Length),
            (Assert.Single(rejects).Reason, rejects[0].Offset)
        );
    }

    [Fact]
    public void States_and_media_types_that_hold_no_text_are_skipped_and_counted()
    {
        using var folder = new TemporaryFolder();
        byte[] page = Encoding.UTF8.GetBytes(Html);
        byte[] missing = Encoding.ASCII.GetBytes(
            Encoding.ASCII.GetString(Response(page, "Content-Type: text/html")).Replace("200 OK", "404 No", StringComparison.Ordinal)
        );
        folder.Write("x.warc", [.. Response(page, "Content-Type: text/html"), .. Response(page, "Content-Type: image/png"), .. missing]);
        CorpusManifest manifest = Ingest(Options(folder["x.warc"]), folder["out"]).Manifest;
        Assert.Equal((3L, 1L, 2L, 0L), (manifest.Records, manifest.Documents, manifest.Skipped, manifest.Rejected));
        Assert.Equal(["http-status", "not-text"], manifest.Skips.Select(skip => skip.Reason).Order());
    }

    private static byte[] Response(byte[] body, string headers)
    {
        byte[] http = [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n"), .. body];
        string warc =
            "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: <http://a.b/>\r\nContent-Type: application/http; "
            + $"msgtype=response\r\nContent-Length: {http.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(warc), .. http, .. "\r\n\r\n"u8];
    }

    private static byte[] Compress(byte[] bytes, string encoding)
    {
        using var compressed = new MemoryStream();
        using (
            Stream stream = encoding switch
            {
                "gzip" => new GZipStream(compressed, CompressionLevel.Optimal),
                "deflate" => new ZLibStream(compressed, CompressionLevel.Optimal),
                "br" => new BrotliStream(compressed, CompressionLevel.Fastest),
                _ => new ZstdSharp.CompressionStream(compressed),
            }
        )
        {
            stream.Write(bytes);
        }

        return compressed.ToArray();
    }
}
