namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Cuts UTF-8 text at blank lines into documents in the form of <see cref="Document.Text"/>: what the reader of plain text does, of text
/// that is in memory.
/// </summary>
/// <param name="text">What is cut.</param>
/// <param name="buffer">For documents that are not there as they should be.</param>
internal ref struct PlainTextCutter(ReadOnlySpan<byte> text, DocumentTextBuffer buffer)
{
    private readonly ReadOnlySpan<byte> text = text;

    /// <summary>The document last read: trimmed lines, none blank, '\n' between them. Valid until the next.</summary>
    public ReadOnlySpan<byte> Text { get; private set; }

    /// <summary>Why the document last read is none ("invalid-utf8", "nul-byte"); null: it is one.</summary>
    public string? Fault { get; private set; }

    /// <summary>Bytes of the text before what is read next.</summary>
    public int Position { get; private set; }

    /// <summary>
    /// Reads the next document; false if there is none. It may be empty where its lines hold nothing but white space beyond ASCII.
    /// </summary>
    public bool Next()
    {
        Fault = null;
        Position += CleanText.SkipBlankLines(text[Position..], out _);
        if (!CleanText.TryFind(text[Position..], isAll: true, out CleanDocument document))
        {
            return NextByLine();
        }

        Text = text.Slice(Position, document.Length);
        if (document.HasCarriageReturns)
        {
            buffer.SetWithoutCarriageReturns(Text);
            Text = buffer.Text;
        }

        Position += document.Consumed;
        return true;
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

    private bool NextByLine()
    {
        buffer.Clear();
        bool any = false;
        bool ended = false;
        while (Position < text.Length && !ended)
        {
            ReadOnlySpan<byte> rest = text[Position..];
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = DocumentTextBuffer.Trim(end < 0 ? rest : rest[..end]);
            Position += end < 0 ? rest.Length : end + 1;
            ended = any && line.IsEmpty;
            if (!line.IsEmpty)
            {
                any = true;
                Fault ??= buffer.Append(line);
            }
        }

        Text = buffer.Text;
        return any;
    }
}
