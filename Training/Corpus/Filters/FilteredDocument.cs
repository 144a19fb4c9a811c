namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>A document on its way through the filters. Not to be used by two threads at once.</summary>
internal sealed class FilteredDocument(Document document, bool removeDuplicateLines)
{
    private List<(string Filter, RemovedLine Line)>? removedLines;
    private TextWords? words;
    private string? shortened;

    /// <summary>As it was read.</summary>
    public Document Original { get; } = document;

    /// <summary>UTF-8 bytes of the text as it was read, one for the end of its last line included.</summary>
    public long OriginalBytes { get; } = document.Utf8.Length + 1;

    /// <summary>See <see cref="DocumentText.Hash(ReadOnlySpan{byte})"/>; of the text as it was read.</summary>
    public UInt128 OriginalHash { get; } = DocumentText.Hash(document.Utf8);

    /// <summary>Whether its lines are held against those of other documents afterwards.</summary>
    public bool RemoveDuplicateLines { get; } = removeDuplicateLines;

    /// <summary>What is left of the text.</summary>
    public string Text => shortened ?? Original.Text;

    /// <summary>Whether no filter took anything out.</summary>
    public bool IsWhole => shortened is null;

    /// <summary>The words of <see cref="Text"/>, found once for all filters.</summary>
    public TextWords Words => words ??= TextWords.Of(Text);

    /// <summary>The filter that removed it, and why; null while it stays.</summary>
    public (string Filter, string Reason, string Detail)? Removal { get; private set; }

    /// <summary>Lines taken out, if it stays.</summary>
    public IReadOnlyList<(string Filter, RemovedLine Line)> RemovedLines => removedLines ?? [];

    /// <summary>The code of its language, once a filter looked for it.</summary>
    public string? Language { get; set; }

    /// <summary>See <see cref="MinHash.BandsOf"/>; null until a filter prepares them.</summary>
    public ulong[]? Bands { get; set; }

    /// <summary>Forgets the words, which weigh more than the text, when all that look at them have done so.</summary>
    public void ForgetWords() => words = null;

    /// <summary>Asks a filter, unless one before removed the document.</summary>
    public void Pass(IDocumentFilter filter)
    {
        if (Removal is not null)
        {
            return;
        }

        FilterVerdict verdict = filter.Judge(this);
        if (verdict.Reason is { } reason)
        {
            Removal = (filter.Name, reason, verdict.Detail);
        }
        else if (verdict.Text is { } rest)
        {
            shortened = rest;
            words = null;
            (removedLines ??= []).AddRange(verdict.RemovedLines.Select(line => (filter.Name, line)));
        }
    }
}
