namespace ElectraPipeline.Training.Corpus;

/// <summary>One text of the corpus.</summary>
/// <param name="Id">The source's own id, or the source and the line it starts at; not necessarily unique.</param>
/// <param name="Text">Sentences separated by '\n'; no blank lines, no white space around a line.</param>
/// <param name="Source">The file it was read from, relative to the path given in the options.</param>
public sealed record Document(string Id, string Text, string Source);

/// <summary>A record that could not be read.</summary>
/// <param name="Reason">A short fixed word, counted in the manifest: "invalid-utf8", "broken-json".</param>
/// <param name="Source">The file, relative to the path given in the options.</param>
/// <param name="Line">Counted from 1; 0 if the format has no lines.</param>
/// <param name="Offset">Byte in the decompressed file, counted from 0.</param>
/// <param name="Detail">What was found there.</param>
public sealed record Reject(string Reason, string Source, long Line, long Offset, string Detail);

/// <summary>What a reader finds: a document or a reject, never both.</summary>
internal readonly record struct ReadRecord(Document? Document, Reject? Reject)
{
    public static implicit operator ReadRecord(Document document) => new(document, null);

    public static implicit operator ReadRecord(Reject reject) => new(null, reject);
}
