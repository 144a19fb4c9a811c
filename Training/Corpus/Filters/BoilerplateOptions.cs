namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>When a line counts as boilerplate.</summary>
public sealed record BoilerplateOptions
{
    /// <summary>Documents that may hold a line; it is removed from all that follow.</summary>
    public int MaxDocuments { get; init; } = 10;

    internal void Check(FilterFaults faults) => faults.Require(MaxDocuments >= 1, "boilerplate.maxDocuments", MaxDocuments, "1 or more");
}
