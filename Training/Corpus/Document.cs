namespace ElectraPipeline.Training.Corpus;

/// <summary>One text of the corpus.</summary>
/// <param name="Id">The source's own id, or the source and the line it starts at; not necessarily unique.</param>
/// <param name="Text">Sentences separated by '\n'; no blank lines, no white space around a line.</param>
/// <param name="Source">The file it was read from, relative to the path given in the options.</param>
public sealed record Document(string Id, string Text, string Source);

/// <summary>A record that could not be read.</summary>
/// <param name="Reason">A short fixed word, counted in the manifest: "invalid-utf8", "broken-json".</param>
/// <param name="Source">The file, relative to the path given in the options.</param>
/// <param name="Line">Line, or row of a table, counted from 1; 0 if the format has neither.</param>
/// <param name="Offset">Byte in the decompressed file (UTF-16 with a byte-order mark: after conversion to UTF-8), counted from 0.</param>
/// <param name="Detail">What was found there.</param>
public sealed record Reject(string Reason, string Source, long Line, long Offset, string Detail);

/// <summary>
/// What a reader finds, exactly one of: a document, a reject, or a record that is sound but no document by its kind (the request
/// beside a web page, a redirect of a wiki), which is told like a reject and counted apart.
/// </summary>
internal readonly record struct ReadRecord(Document? Document, Reject? Reject, Reject? Skip)
{
    public static implicit operator ReadRecord(Document document) => new(document, null, null);

    public static implicit operator ReadRecord(Reject reject) => new(null, reject, null);

    public static ReadRecord Skipped(Reject skip) => new(null, null, skip);
}
