using System.Text;
using System.Xml.Linq;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Turns the elements of .NET XML documentation into sentences.</summary>
internal static class XmlDocText
{
    private static readonly HashSet<string> Dropped = ["code", "example", "script", "format", "inheritdoc", "seealso"];

    private static readonly HashSet<string> Blocks =
    [
        "para",
        "p",
        "list",
        "listheader",
        "item",
        "term",
        "description",
        "ul",
        "ol",
        "li",
        "div",
        "br",
        "remarks",
    ];

    /// <summary>
    /// The sentences of an element such as &lt;summary&gt;. References become the plain short name ("T:System.String" is String),
    /// paramref and langword their word, c its text; code blocks and examples are dropped; paragraphs, list items and blank lines
    /// end a sentence. A remainder of fewer than two words ("-or-") is none.
    /// </summary>
    public static IEnumerable<string> Sentences(XElement element)
    {
        var text = new StringBuilder();
        Append(text, element);
        foreach (string paragraph in text.ToString().Split('\n'))
        {
            foreach (string sentence in SentenceSplitter.Split(DocumentText.Fold(paragraph)))
            {
                if (HasTwoWords(sentence))
                {
                    yield return sentence;
                }
            }
        }
    }

    /// <summary>
    /// "System.Collections.Generic.List`1" is List; "M:System.Array.Sort(System.Array)" is Sort; a constructor is its type.
    /// </summary>
    public static string ShortName(string reference)
    {
        string name = reference.Length > 1 && reference[1] == ':' ? reference[2..] : reference;
        int end = name.IndexOfAny(['(', '~', '{']);
        name = (end >= 0 ? name[..end] : name)
            .Replace(".#ctor", "", StringComparison.Ordinal)
            .Replace(".#cctor", "", StringComparison.Ordinal);
        string last = name[(name.LastIndexOfAny(['.', '#']) + 1)..];
        int arity = last.IndexOf('`');
        return arity >= 0 ? last[..arity] : last;
    }

    private static void Append(StringBuilder text, XElement element)
    {
        foreach (XNode node in element.Nodes())
        {
            if (node is XText literal)
            {
                AppendLiteral(text, literal.Value);
            }
            else if (node is XElement child)
            {
                AppendChild(text, child);
            }
        }
    }

    private static void AppendChild(StringBuilder text, XElement child)
    {
        string tag = child.Name.LocalName;
        if (Dropped.Contains(tag))
        {
            text.Append(' ');
        }
        else if (Blocks.Contains(tag))
        {
            text.Append('\n');
            Append(text, child);
            text.Append('\n');
        }
        else if (ReferenceOf(child) is string name)
        {
            text.Append(name);
        }
        else
        {
            Append(text, child);
        }
    }

    /// <summary>What stands for an element without text of its own; null if its content does.</summary>
    private static string? ReferenceOf(XElement element)
    {
        if (!string.IsNullOrWhiteSpace(element.Value))
        {
            return null;
        }

        string? reference = (string?)element.Attribute("cref") ?? (string?)element.Attribute("uid");
        return reference is not null
            ? ShortName(reference)
            : (string?)element.Attribute("langword") ?? (string?)element.Attribute("name") ?? (string?)element.Attribute("href");
    }

    /// <summary>One line feed is white space; a blank line ends a paragraph.</summary>
    private static void AppendLiteral(StringBuilder text, string literal)
    {
        bool afterLineFeed = false;
        foreach (char character in literal)
        {
            bool lineFeed = character == '\n';
            text.Append(
                lineFeed && afterLineFeed ? '\n'
                : lineFeed ? ' '
                : character
            );
            afterLineFeed = lineFeed || afterLineFeed && char.IsWhiteSpace(character);
        }
    }

    private static bool HasTwoWords(string sentence)
    {
        int words = 0;
        foreach (Range range in sentence.AsSpan().Split(' '))
        {
            ReadOnlySpan<char> word = sentence.AsSpan(range);
            int letters = 0;
            foreach (char character in word)
            {
                letters += char.IsLetter(character) ? 1 : 0;
            }

            words += letters > 0 ? 1 : 0;
        }

        return words >= 2 && !sentence.Equals("-or-", StringComparison.Ordinal);
    }
}
