using ElectraPipeline.Training.Corpus.Filters;

namespace ElectraPipeline.Training.Corpus;

/// <summary>The ten documents whose texts have the smallest hashes: a random sample that order and number of files do not change.</summary>
internal sealed class DocumentSamples
{
    private const int Kept = 10;
    private const int ExcerptLength = 300;
    private readonly SortedList<UInt128, Document> smallest = new(Kept + 1);

    public void Add(PlacedDocument document)
    {
        if (smallest.Count == Kept && document.Hash >= smallest.GetKeyAtIndex(Kept - 1))
        {
            return;
        }

        smallest.TryAdd(document.Hash, document.Document);
        if (smallest.Count > Kept)
        {
            smallest.RemoveAt(Kept);
        }
    }

    public IReadOnlyList<DocumentSample> Told() =>
        [
            .. smallest.Values.Select(document => new DocumentSample(
                document.Source,
                document.Id,
                FilterLedger.Excerpt(document.Text, ExcerptLength)
            )),
        ];
}
