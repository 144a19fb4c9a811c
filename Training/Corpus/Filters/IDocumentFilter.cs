namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// One rule, or one family of rules, that documents must pass. Adding one is a class in this folder, its options in
/// <see cref="CorpusFilterOptions"/>, a line in <see cref="FilterChain"/> and a test file.
/// </summary>
internal interface IDocumentFilter
{
    /// <summary>The key under corpus.filters that turns it on.</summary>
    string Name { get; }

    /// <summary>
    /// Whether a verdict depends on the documents before: such filters judge one document after the other in source order, behind
    /// all others, which judge many at a time on any thread.
    /// </summary>
    bool DependsOnOrder => false;

    /// <summary>Computes ahead, on any thread, what <see cref="Judge"/> will need in order.</summary>
    void Prepare(FilteredDocument document) { }

    /// <summary>Whether the document stays, goes or loses lines.</summary>
    FilterVerdict Judge(FilteredDocument document);
}

/// <summary>What a filter makes of a document: nothing, a reason to remove it, or a text with fewer lines.</summary>
/// <param name="Reason">A short fixed word, counted in the manifest; null: the document stays.</param>
/// <param name="Detail">The figure behind the reason.</param>
/// <param name="Text">What is left of it; null: all.</param>
/// <param name="RemovedLines">The lines that are not left.</param>
internal readonly record struct FilterVerdict(string? Reason, string Detail, string? Text, IReadOnlyList<RemovedLine> RemovedLines)
{
    public static FilterVerdict Keep { get; } = new(null, "", null, []);

    public static FilterVerdict Remove(string reason, string detail) => new(reason, detail, null, []);

    public static FilterVerdict Shorten(string text, IReadOnlyList<RemovedLine> removed) => new(null, "", text, removed);
}

/// <summary>A line taken out of a document that stays.</summary>
internal readonly record struct RemovedLine(string Reason, string Text);
