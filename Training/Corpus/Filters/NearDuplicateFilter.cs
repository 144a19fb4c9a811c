namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Removes documents that resemble one before: those that share a band of their <see cref="MinHash"/> signatures with a document that
/// was kept. Removed documents leave no trace, so that each resembles one that stays, and a chain of small changes does not remove
/// what differs much from all that is kept. Memory: about 12 bytes a band and document kept, 170 by default.
/// </summary>
internal sealed class NearDuplicateFilter(NearDuplicateOptions options) : IDocumentFilter
{
    private readonly MinHash signatures = new(options.NgramWords, options.Bands, options.RowsPerBand);
    private readonly FixedHashSet<ulong> seen = new();

    public string Name => "nearDuplicates";

    public bool DependsOnOrder => true;

    public void Prepare(FilteredDocument document) => document.Bands = signatures.BandsOf(document.Words);

    public FilterVerdict Judge(FilteredDocument document)
    {
        int shared = document.Bands!.Count(seen.Contains);
        if (shared > 0)
        {
            return FilterVerdict.Remove("near-duplicate", $"{shared} of {options.Bands} bands are those of documents before");
        }

        foreach (ulong band in document.Bands!)
        {
            seen.Add(band);
        }

        return FilterVerdict.Keep;
    }
}
