namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// How alike documents must be for the later one to be removed. With the defaults a pair of Jaccard similarity 0.5 is found with
/// probability 0.05, 0.7 with 0.56, 0.8 with 0.92, 0.9 with more than 0.999.
/// </summary>
public sealed record NearDuplicateOptions
{
    /// <summary>Words in a row that are compared.</summary>
    public int NgramWords { get; init; } = 5;

    /// <summary>Bands; one that is equal makes a pair.</summary>
    public int Bands { get; init; } = 14;

    /// <summary>Minima a band, all of which must be equal.</summary>
    public int RowsPerBand { get; init; } = 8;

    internal void Check(FilterFaults faults)
    {
        faults.Require(NgramWords is >= 1 and <= 100, "nearDuplicates.ngramWords", NgramWords, "1 to 100");
        faults.Require(Bands is >= 1 and <= 1_000, "nearDuplicates.bands", Bands, "1 to 1000");
        faults.Require(RowsPerBand is >= 1 and <= 100, "nearDuplicates.rowsPerBand", RowsPerBand, "1 to 100");
    }
}
