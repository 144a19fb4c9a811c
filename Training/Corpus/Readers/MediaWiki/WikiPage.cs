using System.Text;
using System.Xml;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>What a page element of an export says.</summary>
internal sealed class WikiPage
{
    public string Title { get; private set; } = "";

    /// <summary>The number; null in exports older than 2011.</summary>
    public string? Namespace { get; private set; }

    public string? Id { get; private set; }

    public string? Model { get; private set; }

    /// <summary>The wikitext of the last revision; null if there is none or it was deleted.</summary>
    public string? Text { get; private set; }

    /// <summary>The text is longer than allowed; <see cref="Text"/> holds its beginning.</summary>
    public bool Overlong { get; private set; }

    public bool IsRedirect { get; private set; }

    /// <summary>Where the page begins, from 1.</summary>
    public long Line { get; private init; }

    /// <summary>Reads the element that <paramref name="xml"/> is on, and leaves it on the element's end.</summary>
    /// <param name="xml">On the start of a page element.</param>
    /// <param name="bounded">What it reads from; each revision is a record.</param>
    /// <param name="maxText">The longest text, in UTF-16 units.</param>
    public static WikiPage Read(XmlReader xml, RecordBoundStream bounded, int maxText)
    {
        var page = new WikiPage { Line = (xml as IXmlLineInfo)?.LineNumber ?? 0 };
        if (xml.IsEmptyElement)
        {
            return page;
        }

        int depth = xml.Depth;
        bool more = xml.Read();
        while (more && xml.Depth > depth)
        {
            more = xml.NodeType == XmlNodeType.Element ? page.ReadElement(xml, bounded, maxText, depth) : xml.Read();
        }

        page.IsRedirect |= page.Text?.AsSpan().TrimStart().StartsWith("#REDIRECT", StringComparison.OrdinalIgnoreCase) == true;
        return page;
    }

    /// <summary>Takes what matters of an element and moves behind it, or into it if what matters may be inside.</summary>
    private bool ReadElement(XmlReader xml, RecordBoundStream bounded, int maxText, int depth)
    {
        bool ofPage = xml.Depth == depth + 1;
        switch (xml.LocalName)
        {
            case "title" when ofPage:
                Title = xml.ReadElementContentAsString();
                return !xml.EOF;
            case "ns" when ofPage:
                Namespace = xml.ReadElementContentAsString().Trim();
                return !xml.EOF;
            case "id" when ofPage:
                Id = xml.ReadElementContentAsString().Trim();
                return !xml.EOF;
            case "redirect" when ofPage:
                IsRedirect = true;
                return xml.Read();
            case "model":
                Model = xml.ReadElementContentAsString().Trim();
                return !xml.EOF;
            case "text":
                (Text, Overlong) = ReadText(xml, maxText);
                return xml.Read();
            case "revision":
                bounded.BeginRecord();
                return xml.Read();
            default:
                return xml.Read();
        }
    }

    /// <summary>The text in pieces, so that one without end is not gathered in memory; leaves the reader on the element's end.</summary>
    private static (string? Text, bool Overlong) ReadText(XmlReader xml, int maxText)
    {
        if (xml.IsEmptyElement)
        {
            return (xml.GetAttribute("deleted") is null ? "" : null, false);
        }

        int depth = xml.Depth;
        var text = new StringBuilder();
        char[] piece = new char[1 << 14];
        bool overlong = false;
        while (xml.Read() && xml.Depth > depth)
        {
            while (xml.CanReadValueChunk && xml.HasValue && xml.ReadValueChunk(piece, 0, piece.Length) is > 0 and int count)
            {
                int kept = Math.Min(count, maxText - text.Length);
                text.Append(piece, 0, kept);
                overlong |= kept < count;
            }
        }

        return (text.ToString(), overlong);
    }
}
