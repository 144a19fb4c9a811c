using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>A file's format and compression are told by its bytes; its name matters only where they leave it open.</summary>
public sealed class DetectionTests : IDisposable
{
    private const string Warc = "WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nA b.\r\n\r\n";

    private const string Wiki =
        "<?xml version=\"1.0\"?>\n<!-- x > y -->\n<mediawiki><page><title>T</title><ns>0</ns><revision><text>A "
        + "b.</text></revision></page></mediawiki>";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("misnamed.txt", Warc, "warc")]
    [InlineData("misnamed.jsonl", Wiki, "mediawiki")]
    [InlineData(
        "misnamed.warc",
        "<doc><members><member name=\"T:A.B\"><summary>A b.</summary></member></members></doc>",
        "dotnet-xml-docs"
    )]
    [InlineData("noname", "{\"text\":\"A b.\"}", "jsonl")]
    [InlineData("braces.txt", "{\"text\":\"A b.\"}", "text")]
    [InlineData("noname", "A b.", "text")]
    [InlineData("page.xml", "<html>A b.</html>", "text")]
    public void The_content_decides(string name, string content, string format)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        foreach (byte[] file in (byte[][])[bytes, Gzip(bytes), Zstd(bytes), BZip2(bytes)])
        {
            folder.Write(name, file);
            CorpusManifest manifest = Ingest(Options(folder[name]), folder["out"]).Manifest;
            Assert.Equal((format, 1L), (Assert.Single(manifest.Inputs).Format, manifest.Documents));
        }
    }

    [Theory]
    [InlineData(Wiki)]
    [InlineData("{\"text\":\"A b.\"}")]
    [InlineData("A b.")]
    public void A_mark_of_utf8_hides_nothing(string content) =>
        Assert.Equal("A b.", Assert.Single(Read("noname", [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(content)]).Documents).Text);

    [Fact]
    public void Utf16_is_recognized_by_its_mark()
    {
        foreach (string name in (string[])["utf-16", "utf-16BE"])
        {
            Encoding encoding = Encoding.GetEncoding(name);
            string wiki = Wiki.Replace("\"1.0\"", "\"1.0\" encoding=\"UTF-16\"", StringComparison.Ordinal);
            var (documents, rejects) = Read("wiki", [.. encoding.GetPreamble(), .. encoding.GetBytes(wiki)]);
            Assert.Empty(rejects);
            Assert.Equal("A b.", Assert.Single(documents).Text);
            Assert.Equal(
                "A b.",
                Assert.Single(Read("lines", [.. encoding.GetPreamble(), .. encoding.GetBytes("{\"text\":\"A b.\"}")]).Documents).Text
            );
        }
    }

    [Fact]
    public void What_is_no_text_is_one_reject_for_the_file()
    {
        byte[] png = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8];
        folder.Write("in/a.txt", "A b.");
        folder.Write("in/picture", png);
        CorpusManifest manifest = Ingest(Options(folder["in"]) with { MaxRejectShare = 0.5 }, folder["out"]).Manifest;
        Assert.Equal((1L, 1L, 2L), (manifest.Documents, manifest.Rejected, manifest.Records));
        Assert.Equal("unknown", manifest.Inputs[1].Format);
        Reject reject = Assert.Single(Assert.Single(manifest.Rejects).Samples);
        Assert.Equal(("unknown-format", "picture"), (reject.Reason, reject.Source));
        Assert.Contains("89504E470D0A1A0A", reject.Detail);
    }

    [Fact]
    public void An_empty_file_holds_no_records()
    {
        folder.Write("in/a.txt", "A b.");
        folder.Write("in/empty", "");
        folder.Write("in/empty.gz", Gzip([]));
        CorpusManifest manifest = Ingest(Options(folder["in"]), folder["out"]).Manifest;
        Assert.Equal([1L, 0L, 0L], manifest.Inputs.Select(input => input.Records));
    }
}
