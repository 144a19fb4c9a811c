using System.Buffers;
using System.Net;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The readable text of an HTML page: a scanner for tags in front of <see cref="HtmlTextBuilder"/>.</summary>
/// <remarks>
/// No tree is built: the text needs none, and the standard's repairs of wrongly nested tags take more than linear time on hostile
/// pages. Attributes, comments and the raw text of scripts are recognized as the standard says.
/// </remarks>
internal sealed class HtmlText
{
    // Between their tags there are no other tags, only what looks like them.
    private static readonly HashSet<string> RawText = new(StringComparer.OrdinalIgnoreCase)
    {
        "script",
        "style",
        "textarea",
        "title",
        "xmp",
        "iframe",
        "noembed",
        "noframes",
    };

    private static readonly SearchValues<char> NameEnds = SearchValues.Create(" \t\r\n\f/>");
    private static readonly SearchValues<char> AttributeNameEnds = SearchValues.Create(" \t\r\n\f/>=");
    private static readonly SearchValues<char> ValueEnds = SearchValues.Create(" \t\r\n\f>");

    private readonly string html;
    private readonly HtmlTextBuilder text = new();
    private readonly HashSet<string> neverClosed = new(StringComparer.OrdinalIgnoreCase);
    private int position;

    private HtmlText(string html) => this.html = html;

    /// <summary>One line per paragraph, heading, list item or table row; no scripts, navigation, forms and hidden elements.</summary>
    public static string Extract(string html)
    {
        var page = new HtmlText(html);
        page.Scan();
        return page.text.ToString();
    }

    private void Scan()
    {
        while (position < html.Length)
        {
            int tag = html.IndexOf('<', position);
            Text(tag < 0 ? html.Length : tag);
            if (tag >= 0)
            {
                ScanMarkup();
            }
        }
    }

    private void Text(int end)
    {
        if (end > position)
        {
            text.Text(WebUtility.HtmlDecode(html[position..end]));
            position = end;
        }
    }

    private void ScanMarkup()
    {
        char next = position + 1 < html.Length ? html[position + 1] : ' ';
        if (string.CompareOrdinal(html, position, "<!--", 0, 4) == 0)
        {
            int end = html.IndexOf("-->", position + 2, StringComparison.Ordinal);
            position = end < 0 ? html.Length : end + 3;
        }
        else if (next is '!' or '?')
        {
            SkipPast('>');
        }
        else if (next == '/' && position + 2 < html.Length && char.IsAsciiLetter(html[position + 2]))
        {
            position += 2;
            string name = Take(NameEnds);
            SkipPast('>');
            text.EndTag(name);
        }
        else if (char.IsAsciiLetter(next))
        {
            position++;
            ScanStartTag();
        }
        else
        {
            text.Text("<");
            position++;
        }
    }

    private void ScanStartTag()
    {
        string name = Take(NameEnds);
        bool hidden = false;
        while (SkipToAttribute())
        {
            string attribute = Take(AttributeNameEnds);
            SkipSpace();
            string value = position < html.Length && html[position] == '=' ? TakeValue() : "";
            hidden |= Hides(attribute, value);
        }

        position++;
        text.StartTag(name, hidden);
        if (RawText.Contains(name))
        {
            ScanRawText(name);
        }
    }

    /// <summary>Moves to the next attribute's name; false, on the tag's end, if there is none.</summary>
    private bool SkipToAttribute()
    {
        while (position < html.Length && (html[position] is '/' or '=' || char.IsWhiteSpace(html[position])))
        {
            position++;
        }

        return position < html.Length && html[position] != '>';
    }

    private void SkipSpace()
    {
        while (position < html.Length && char.IsWhiteSpace(html[position]))
        {
            position++;
        }
    }

    private string TakeValue()
    {
        position++;
        SkipSpace();
        if (position == html.Length || html[position] is not ('"' or '\''))
        {
            return Take(ValueEnds);
        }

        char quote = html[position++];
        int end = html.IndexOf(quote, position);
        string value = end < 0 ? html[position..] : html[position..end];
        position = end < 0 ? html.Length : end + 1;
        return value;
    }

    private void ScanRawText(string name)
    {
        int end = neverClosed.Contains(name) ? -1 : html.IndexOf("</" + name, position, StringComparison.OrdinalIgnoreCase);
        if (end < 0)
        {
            // Never closed: what follows is taken as markup, so that the page is not lost.
            neverClosed.Add(name);
            return;
        }

        Text(end);
    }

    private string Take(SearchValues<char> ends)
    {
        int length = html.AsSpan(position).IndexOfAny(ends);
        int end = length < 0 ? html.Length : position + length;
        string taken = html[position..end];
        position = end;
        return taken;
    }

    private void SkipPast(char character)
    {
        int at = html.IndexOf(character, position);
        position = at < 0 ? html.Length : at + 1;
    }

    private static bool Hides(string attribute, string value) =>
        attribute.ToLowerInvariant() switch
        {
            "hidden" => true,
            "aria-hidden" => value.Equals("true", StringComparison.OrdinalIgnoreCase),
            "role" => value.Trim().ToLowerInvariant() is "navigation" or "banner" or "contentinfo" or "search" or "dialog" or "alert",
            "style" => value.Replace(" ", "", StringComparison.Ordinal).Contains("display:none", StringComparison.OrdinalIgnoreCase),
            _ => false,
        };
}
