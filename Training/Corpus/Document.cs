using System.Text;
using System.Text.Json.Serialization;

namespace ElectraPipeline.Training.Corpus;

/// <summary>One text of the corpus, kept in UTF-8.</summary>
public sealed record Document
{
    private readonly ReadOnlyMemory<byte> utf8;
    private string? id;
    private string? text;

    /// <summary>A document of a text that is at hand as a string.</summary>
    /// <param name="id">See <see cref="Id"/>.</param>
    /// <param name="text">See <see cref="Text"/>.</param>
    /// <param name="source">See <see cref="Source"/>.</param>
    [JsonConstructor]
    public Document(string id, string text, string source)
        : this(id, Encoding.UTF8.GetBytes(text), source) => this.text = text;

    /// <summary>A document of a text in UTF-8, whose bytes change no more.</summary>
    internal Document(string id, ReadOnlyMemory<byte> utf8, string source)
    {
        this.id = id;
        this.utf8 = utf8;
        Source = source;
    }

    /// <summary>A document without an id of its own, which begins at a line, counted from 1.</summary>
    internal Document(string source, long line, ReadOnlyMemory<byte> utf8)
    {
        this.utf8 = utf8;
        Source = source;
        Line = line;
    }

    /// <summary>The source's own id, or the source and the line it starts at; not necessarily unique.</summary>
    public string Id => id ??= $"{Source}:{Line}";

    /// <summary>Sentences separated by '\n'; no blank lines, no white space around a line.</summary>
    public string Text => text ??= Encoding.UTF8.GetString(utf8.Span);

    /// <summary>The file it was read from, relative to the path given in the options.</summary>
    public string Source { get; }

    /// <summary>The line that <see cref="Id"/> names; 0 if the source gave an id.</summary>
    internal long Line { get; }

    /// <summary>The bytes of <see cref="Text"/>.</summary>
    internal ReadOnlySpan<byte> Utf8 => utf8.Span;

    /// <summary>The same document with another text.</summary>
    internal Document WithText(string other) => new(Id, other, Source);

    /// <summary>Whether all three strings are equal.</summary>
    public bool Equals(Document? other) => other is not null && Id == other.Id && Source == other.Source && Utf8.SequenceEqual(other.Utf8);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Source, utf8.Length);
}

/// <summary>A record that could not be read.</summary>
/// <param name="Reason">A short fixed word, counted in the manifest: "invalid-utf8", "broken-json".</param>
/// <param name="Source">The file, relative to the path given in the options.</param>
/// <param name="Line">Line, or row of a table, counted from 1; 0 if the format has neither.</param>
/// <param name="Offset">Byte in the decompressed file (UTF-16 with a byte-order mark: after conversion to UTF-8), counted from 0.</param>
/// <param name="Detail">What was found there.</param>
public sealed record Reject(string Reason, string Source, long Line, long Offset, string Detail)
{
    /// <summary>"file, line 3, byte 80: what was found there".</summary>
    public string Describe() => $"{Source}{(Line > 0 ? $", line {Line}" : "")}, byte {Offset}: {Detail}";
}

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
