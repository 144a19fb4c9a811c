using System.Text;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Gathers the readable text of a page from its tags and texts in document order, in time linear in their number.</summary>
/// <remarks>
/// An element that is left out (script, navigation, hidden) is cut out of the text when it ends, so that one that never ends costs
/// nothing but itself: the rest of the page stays.
/// </remarks>
internal sealed class HtmlTextBuilder
{
    /// <summary>Never shown, or controls, or what repeats on every page of a site.</summary>
    private static readonly HashSet<string> LeftOut = new(StringComparer.OrdinalIgnoreCase)
    {
        "head",
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "canvas",
        "audio",
        "video",
        "object",
        "embed",
        "applet",
        "iframe",
        "map",
        "form",
        "button",
        "select",
        "option",
        "textarea",
        "datalist",
        "nav",
        "footer",
        "aside",
        "menu",
        "dialog",
        "title",
    };

    private static readonly HashSet<string> Blocks = new(StringComparer.OrdinalIgnoreCase)
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    };

    private static readonly HashSet<string> Cells = new(StringComparer.OrdinalIgnoreCase) { "td", "th" };

    // Elements without content: they cannot be hidden subtrees.
    private static readonly HashSet<string> Void = new(StringComparer.OrdinalIgnoreCase)
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    };

    /// <summary>Real pages nest a handful; more would make each end tag a search.</summary>
    private const int MaxDepth = 64;

    private readonly StringBuilder text = new();
    private readonly List<Cut> open = [];

    /// <summary>A start tag.</summary>
    /// <param name="name">Of the element, in any case.</param>
    /// <param name="hidden">Its attributes say that it is not shown. Not believed of a whole page, which scripts show later.</param>
    public void StartTag(string name, bool hidden)
    {
        bool body = name.Equals("body", StringComparison.OrdinalIgnoreCase);
        if (body)
        {
            EndTag("head");
        }

        if (open.FindLast(cut => cut.IsOf(name)) is { } same)
        {
            same.Depth++;
        }
        else if ((hidden && !body || LeftOut.Contains(name)) && !Void.Contains(name) && open.Count < MaxDepth)
        {
            open.Add(new Cut(name, text.Length));
        }

        Separate(name);
    }

    /// <summary>An end tag. Elements left open inside end with it.</summary>
    public void EndTag(string name)
    {
        int index = open.FindLastIndex(cut => cut.IsOf(name));
        if (index >= 0 && --open[index].Depth == 0)
        {
            text.Length = open[index].Start;
            open.RemoveRange(index, open.Count - index);
        }

        Separate(name);
    }

    /// <summary>Text, its character references resolved. White space in it is a space, line ends too.</summary>
    public void Text(ReadOnlySpan<char> characters)
    {
        foreach (Range word in characters.SplitAny(" \t\r\n\f"))
        {
            if (word.Start.Value > 0)
            {
                AppendSpace();
            }

            text.Append(characters[word]);
        }
    }

    /// <summary>One line per paragraph, heading, list item or table row.</summary>
    public override string ToString() => DocumentText.Normalize(text.ToString());

    private void Separate(string name)
    {
        if (Blocks.Contains(name))
        {
            text.Append('\n');
        }
        else if (Cells.Contains(name))
        {
            AppendSpace();
        }
    }

    private void AppendSpace()
    {
        if (text.Length > 0 && text[^1] is not (' ' or '\n'))
        {
            text.Append(' ');
        }
    }

    /// <summary>An open element that is to be cut out.</summary>
    private sealed class Cut(string name, int start)
    {
        /// <summary>Where the text stood when it began.</summary>
        public int Start { get; } = start;

        /// <summary>How many elements of its name are open, itself included.</summary>
        public int Depth { get; set; } = 1;

        public bool IsOf(string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);
    }
}
