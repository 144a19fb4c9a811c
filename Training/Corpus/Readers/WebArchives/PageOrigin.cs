namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Where a web page was read.</summary>
/// <param name="Id">Its address.</param>
/// <param name="Source">The archive's name.</param>
/// <param name="Offset">Where its record begins in the decompressed archive.</param>
internal sealed record PageOrigin(string Id, string Source, long Offset)
{
    public ReadRecord Skip(string reason, string detail) => ReadRecord.Skipped(new Reject(reason, Source, 0, Offset, detail));

    public ReadRecord Reject(string reason, string detail) => new Reject(reason, Source, 0, Offset, $"{Id}: {detail}");

    public ReadRecord Document(string text) => new Document(Id, text, Source);
}
