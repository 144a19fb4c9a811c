namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>What stands for a '&lt;' in wikitext: comments, extension tags with their content, HTML tags.</summary>
internal sealed class WikiTags(string source)
{
    private const int MaxTagLength = 2_000;

    /// <summary>Tags whose content is no running text.</summary>
    private static readonly HashSet<string> Dropped = new(StringComparer.OrdinalIgnoreCase)
    {
        "ref",
        "references",
        "math",
        "chem",
        "gallery",
        "imagemap",
        "timeline",
        "score",
        "graph",
        "mapframe",
        "maplink",
        "hiero",
        "syntaxhighlight",
        "source",
        "code",
        "pre",
        "templatedata",
        "templatestyles",
        "section",
        "inputbox",
        "categorytree",
        "style",
        "script",
    };

    private static readonly HashSet<string> Breaking = new(StringComparer.OrdinalIgnoreCase)
    {
        "br",
        "p",
        "div",
        "hr",
        "li",
        "ul",
        "ol",
        "dd",
        "dt",
        "dl",
        "tr",
        "table",
        "blockquote",
        "center",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "poem",
    };

    /// <summary>Names whose closing tag was searched to the end in vain: searching again from further on cannot find one.</summary>
    private readonly HashSet<string> neverClosed = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="End">Where reading goes on.</param>
    /// <param name="Text">What stands in the tag's place.</param>
    public readonly record struct Found(int End, string Text);

    /// <summary>The tag at a '&lt;'; the character itself if it begins none.</summary>
    public Found At(int position)
    {
        ReadOnlySpan<char> rest = source.AsSpan(position);
        if (rest.StartsWith("<!--"))
        {
            int end = rest.IndexOf("-->");
            return new Found(end < 0 ? source.Length : position + end + 3, "");
        }

        ReadOnlySpan<char> inside = rest[1..Math.Min(rest.Length, MaxTagLength)];
        int close = inside.IndexOfAny('<', '>');
        string name = NameOf(inside);
        if (name.Length == 0 || close < 0 || inside[close] == '<')
        {
            return new Found(position + 1, "<");
        }

        int behind = position + close + 2;
        bool opens = inside[0] != '/' && inside[close - 1] != '/';
        if (!opens)
        {
            return new Found(behind, Breaking.Contains(name) ? "\n" : "");
        }

        return name.Equals("nowiki", StringComparison.OrdinalIgnoreCase) ? Literal(behind)
            : Dropped.Contains(name) && FindClosing(name, behind, out _) is int end2 ? new Found(end2, "")
            : new Found(behind, Breaking.Contains(name) ? "\n" : "");
    }

    private Found Literal(int start) =>
        FindClosing("nowiki", start, out int contentEnd) is int end ? new Found(end, source[start..contentEnd]) : new Found(start, "");

    private int? FindClosing(string name, int start, out int contentEnd)
    {
        contentEnd = start;
        if (neverClosed.Contains(name))
        {
            return null;
        }

        int found = source.IndexOf("</" + name, start, StringComparison.OrdinalIgnoreCase);
        if (found < 0)
        {
            neverClosed.Add(name);
            return null;
        }

        contentEnd = found;
        int end = source.IndexOf('>', found);
        return end < 0 ? source.Length : end + 1;
    }

    private static string NameOf(ReadOnlySpan<char> inside)
    {
        ReadOnlySpan<char> name = inside.StartsWith("/") ? inside[1..] : inside;
        int length = 0;
        while (length < name.Length && char.IsAsciiLetterOrDigit(name[length]))
        {
            length++;
        }

        return length == 0 || !char.IsAsciiLetter(name[0]) ? "" : name[..length].ToString();
    }
}
