namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Cuts UTF-8 text at blank lines into documents in the form of <see cref="Document.Text"/>: what the reader of plain text does, of text
/// that is in memory. Used again for the next text; not safe for several threads.
/// </summary>
internal sealed class PlainTextCutter
{
    private readonly DocumentTextBuffer buffer = new();

    /// <summary>The document last read: trimmed lines, none blank, '\n' between them. Valid until the next.</summary>
    public ReadOnlySpan<byte> Text => buffer.Text;

    /// <summary>Why the document last read is none ("invalid-utf8", "nul-byte"); null: it is one.</summary>
    public string? Fault { get; private set; }

    /// <summary>
    /// Takes the next document off the front of <paramref name="rest"/>; false if there is none. It may be empty where its lines hold
    /// nothing but white space beyond ASCII.
    /// </summary>
    public bool Next(scoped ref ReadOnlySpan<byte> rest)
    {
        buffer.Clear();
        Fault = null;
        bool any = false;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = DocumentTextBuffer.Trim(end < 0 ? rest : rest[..end]);
            rest = end < 0 ? default : rest[(end + 1)..];
            if (!line.IsEmpty)
            {
                any = true;
                Fault ??= buffer.Append(line);
            }
            else if (any)
            {
                return true;
            }
        }

        return any;
    }

    /// <summary>Behind the last blank line of a text: documents before it are whole. 0: there is none.</summary>
    public static int EndOfWholeDocuments(ReadOnlySpan<byte> text)
    {
        int end = text.LastIndexOf((byte)'\n');
        while (end > 0)
        {
            int start = text[..end].LastIndexOf((byte)'\n');
            if (DocumentTextBuffer.Trim(text[(start + 1)..end]).IsEmpty)
            {
                return end + 1;
            }

            end = start;
        }

        return 0;
    }
}
