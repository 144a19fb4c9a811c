using System.Xml;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// XML exports of MediaWiki ("pages-articles.xml.bz2" of Wikipedia): each article of the main namespace is a document of plain
/// text without its title. Redirects, pages of other namespaces and pages that are not wikitext are skipped and counted. Of a page
/// with several revisions the last in the file is read.
/// </summary>
/// <remarks>
/// One page is in memory at a time, at most <see cref="CorpusOptions.MaxDocumentBytes"/> UTF-16 units of text; larger ones are
/// rejected. Document type definitions are refused: nothing is fetched and nothing expands.
/// </remarks>
internal sealed class MediaWikiReader : IDocumentReader
{
    public string Format => "mediawiki";

    /// <summary>None: ".xml" says nothing about the vocabulary inside, so the content decides.</summary>
    public IReadOnlyList<string> Extensions { get; } = [];

    public Recognition Recognize(ReadOnlySpan<byte> head) => XmlSource.HasRoot(head, "mediawiki"u8) ? Recognition.Certain : Recognition.No;

    public IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options)
    {
        var bounded = new RecordBoundStream(content.Stream);
        using XmlReader xml = XmlSource.Open(bounded);
        var namespaces = new WikiNamespaces();
        xml.MoveToContent();
        bool more = xml.Read();
        while (more)
        {
            if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "namespace")
            {
                namespaces.Add(xml.GetAttribute("key"), xml.ReadElementContentAsString());
                more = !xml.EOF;
            }
            else if (xml.NodeType == XmlNodeType.Element && xml.LocalName == "page")
            {
                bounded.BeginRecord();
                WikiPage page = WikiPage.Read(xml, bounded, options.MaxDocumentBytes);
                yield return ToRecord(page, namespaces, content.Name, content.Position);
                more = xml.Read();
            }
            else
            {
                more = xml.Read();
            }
        }
    }

    private static ReadRecord ToRecord(WikiPage page, WikiNamespaces namespaces, string source, long offset)
    {
        Reject Told(string reason, string detail) => new(reason, source, page.Line, offset, $"\"{page.Title}\": {detail}");

        if (page.Namespace is { } number ? number != "0" : namespaces.IsOutsideMain(page.Title))
        {
            return ReadRecord.Skipped(Told("other-namespace", $"namespace {page.Namespace ?? "by its title"}"));
        }

        if (page.IsRedirect)
        {
            return ReadRecord.Skipped(Told("redirect", "leads to another page"));
        }

        if (page.Model is not (null or "wikitext"))
        {
            return ReadRecord.Skipped(Told("not-wikitext", $"model {page.Model}"));
        }

        if (page.Overlong)
        {
            return Told("record-too-large", "its text is longer than corpus.maxDocumentBytes allows");
        }

        return page.Text is null
            ? Told("no-text", "the page has no revision with a text")
            : new Document(page.Id ?? page.Title, DocumentText.Normalize(WikiText.ToPlain(page.Text, namespaces)), source);
    }
}
