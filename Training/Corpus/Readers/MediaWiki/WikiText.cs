namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The running text of wikitext, in one pass that takes time linear in its length, whatever is in it.</summary>
/// <remarks>
/// Removed: templates, tables, references, comments, formulas, galleries, code, pictures, categories, links to other languages and
/// HTML tags. Of links the label stays, of headings and list items the text. Brackets are matched by a stack that remembers where
/// in the output each began: closing a template cuts the output back to there. A bracket that is never closed so costs
/// only its own characters, not the rest of the page.
/// </remarks>
internal sealed class WikiText
{
    /// <summary>
    /// MediaWiki itself stops at 40 templates inside each other; a bound keeps hostile pages from costing more than linear time.
    /// </summary>
    private const int MaxDepth = 100;

    private readonly string source;
    private readonly WikiNamespaces namespaces;
    private readonly WikiOutput output = new();
    private readonly WikiTags tags;
    private readonly Stack<Frame> open = new();
    private int position;
    private int openTemplates;
    private int openTables;

    private WikiText(string source, WikiNamespaces namespaces)
    {
        this.source = source;
        this.namespaces = namespaces;
        tags = new WikiTags(source);
    }

    private enum Kind
    {
        Template,
        Table,
        Link,
        ExternalLink,
    }

    /// <summary>The text of a page, a paragraph, heading or list item per line.</summary>
    public static string ToPlain(string source, WikiNamespaces namespaces)
    {
        var wiki = new WikiText(source, namespaces);
        wiki.Scan();
        return WikiLines.Tidy(wiki.output.ToString());
    }

    private void Scan()
    {
        while (position < source.Length)
        {
            int plain = source.AsSpan(position).IndexOfAny("{}[]|<'\n");
            if (plain != 0)
            {
                int end = plain < 0 ? source.Length : position + plain;
                output.Append(source.AsSpan(position, end - position));
                position = end;
                continue;
            }

            ScanSpecial(source[position]);
        }
    }

    private void ScanSpecial(char character)
    {
        switch (character)
        {
            case '{' when At("{{"):
                OpenTemplates();
                break;
            case '{' when At("{|") && AtLineStart():
                Open(Kind.Table, 2);
                break;
            case '}' when At("}}"):
                CloseTemplates();
                break;
            case '|' when At("|}") && openTables > 0 && !At("|}}") && AtLineStart():
                position += 2;
                Close(Kind.Table);
                break;
            case '[' when At("[["):
                Open(Kind.Link, 2);
                break;
            case ']' when At("]]") && open.TryPeek(out Frame? link) && link.Kind == Kind.Link:
                CloseLink(open.Pop());
                break;
            case ']' when open.TryPeek(out Frame? external) && external.Kind == Kind.ExternalLink:
                open.Pop();
                position++;
                break;
            case '[' when AddressLength() is > 0 and int length:
                Open(Kind.ExternalLink, 1 + length);
                break;
            case '|' when open.TryPeek(out Frame? top) && top.Kind == Kind.Link:
                top.FirstPipe ??= output.Length;
                Emit('|');
                break;
            case '<':
                ScanTag();
                break;
            case '\'':
                ScanQuotes();
                break;
            case '\n':
                EndLine();
                break;
            default:
                Emit(character);
                break;
        }
    }

    private bool At(string literal) => string.CompareOrdinal(source, position, literal, 0, literal.Length) == 0;

    /// <summary>Whether only white space and list markers stand before the position on its line.</summary>
    private bool AtLineStart()
    {
        int before = position - 1;
        while (before >= 0 && position - before <= MaxDepth && source[before] is ' ' or '\t' or ':' or '*' or '#')
        {
            before--;
        }

        return before < 0 || source[before] == '\n';
    }

    private void Emit(char character)
    {
        output.Append([character]);
        position++;
    }

    private void Open(Kind kind, int length)
    {
        position += length;
        if (open.Count < MaxDepth)
        {
            open.Push(new Frame(kind, output.Length) { Braces = length });
            openTemplates += kind == Kind.Template ? 1 : 0;
            openTables += kind == Kind.Table ? 1 : 0;
        }
    }

    /// <summary>
    /// A run of braces opens one or several templates, or arguments, which have three; how many is told by what closes them.
    /// </summary>
    private void OpenTemplates() => Open(Kind.Template, RunOf('{'));

    private void CloseTemplates()
    {
        int run = RunOf('}');
        position += run;
        while (run >= 2 && openTemplates > 0)
        {
            Frame template = Close(Kind.Template);
            int matched = Math.Min(3, Math.Min(run, template.Braces));
            run -= matched;
            template.Braces -= matched;
            if (template.Braces >= 2)
            {
                open.Push(template);
                openTemplates++;
            }
        }
    }

    private int RunOf(char character)
    {
        int run = source.AsSpan(position).IndexOfAnyExcept(character);
        return run < 0 ? source.Length - position : run;
    }

    /// <summary>Cuts the innermost open bracket of this kind, of which there is one, out, and with it what was left open inside.</summary>
    private Frame Close(Kind kind)
    {
        while (true)
        {
            Frame frame = open.Pop();
            openTemplates -= frame.Kind == Kind.Template ? 1 : 0;
            openTables -= frame.Kind == Kind.Table ? 1 : 0;
            if (frame.Kind == kind)
            {
                output.CutTo(frame.Start);
                return frame;
            }
        }
    }

    /// <summary>A link outside ends with its line, one to a page or picture with its paragraph.</summary>
    private void EndLine()
    {
        Emit('\n');
        bool paragraph = position < source.Length && source[position] == '\n';
        while (open.TryPeek(out Frame? frame) && (frame.Kind == Kind.ExternalLink || paragraph && frame.Kind == Kind.Link))
        {
            open.Pop();
        }
    }

    private void CloseLink(Frame link)
    {
        position += 2;
        int pipe = link.FirstPipe ?? output.Length;
        ReadOnlySpan<char> target = output.Slice(link.Start, pipe).Trim();
        if (namespaces.IsInvisible(target))
        {
            output.CutTo(link.Start);
        }
        else if (pipe + 1 < output.Length)
        {
            output.Cut(link.Start, pipe + 1);
        }
        else
        {
            output.CutTo(pipe);
            output.Cut(link.Start, target.StartsWith(":") ? link.Start + 1 : link.Start);
        }
    }

    /// <summary>"[https://example.org label]": how long the address and the space behind it are; 0 if none is here.</summary>
    private int AddressLength()
    {
        ReadOnlySpan<char> rest = source.AsSpan(position + 1);
        bool address =
            rest.StartsWith("http://")
            || rest.StartsWith("https://")
            || rest.StartsWith("//")
            || rest.StartsWith("ftp://")
            || rest.StartsWith("mailto:");
        if (!address)
        {
            return 0;
        }

        int end = rest.IndexOfAny(" ]\n");
        return end < 0 ? rest.Length
            : rest[end] == ' ' ? end + 1
            : end;
    }

    private void ScanTag()
    {
        WikiTags.Found tag = tags.At(position);
        position = tag.End;
        output.Append(tag.Text);
    }

    /// <summary>Two apostrophes are italic, three bold, five both; what is above stays.</summary>
    private void ScanQuotes()
    {
        int run = RunOf('\'');
        int kept = run switch
        {
            1 => 1,
            4 => 1,
            > 5 => run - 5,
            _ => 0,
        };
        output.Append(source.AsSpan(position, kept));
        position += run;
    }

    private sealed class Frame(Kind kind, int start)
    {
        public Kind Kind { get; } = kind;

        /// <summary>Where the output stood when it opened.</summary>
        public int Start { get; } = start;

        /// <summary>How many braces of a template are open still.</summary>
        public int Braces { get; set; }

        /// <summary>Where the output stood at the first '|' of a link.</summary>
        public int? FirstPipe { get; set; }
    }
}
