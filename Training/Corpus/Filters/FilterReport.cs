using System.Text.Json.Serialization;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>What the filters removed and what passed; part of the manifest where a run has filters.</summary>
public sealed record FilterReport
{
    /// <summary>Documents removed. The sum over <see cref="DocumentReasons"/>.</summary>
    public required long Documents { get; init; }

    /// <summary>UTF-8 bytes of them, line ends included.</summary>
    public required long DocumentBytes { get; init; }

    /// <summary>Lines removed from documents that stay. The sum over <see cref="LineReasons"/>.</summary>
    public required long Lines { get; init; }

    /// <summary>UTF-8 bytes of them, line ends included.</summary>
    public required long LineBytes { get; init; }

    /// <summary>Removed documents by filter, in the order they are asked, then by reason, the most frequent first.</summary>
    public required IReadOnlyList<FilterCount> DocumentReasons { get; init; }

    /// <summary>Removed lines, likewise.</summary>
    public required IReadOnlyList<FilterCount> LineReasons { get; init; }

    /// <summary>Documents that stay by language, the most frequent first; null if nothing looked for it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LanguageCount>? Languages { get; init; }

    /// <summary>Documents that stay by length, the shortest first; lengths that none has are left out.</summary>
    public required IReadOnlyList<LengthCount> Lengths { get; init; }
}

/// <summary>The documents or lines that one filter removed for one reason, and the first few of them.</summary>
public sealed record FilterCount(string Filter, string Reason, long Count, long Bytes, IReadOnlyList<FilterSample> Samples);

/// <summary>A removed document or line.</summary>
/// <param name="Source">The file it was read from.</param>
/// <param name="Id">The document's.</param>
/// <param name="Excerpt">Its beginning.</param>
/// <param name="Detail">The figure behind the reason; "" for lines.</param>
public sealed record FilterSample(string Source, string Id, string Excerpt, string Detail);

/// <summary>Documents of about one length.</summary>
/// <param name="FromCharacters">UTF-16 units at least, a power of two (or 0); at most one less than twice as many.</param>
/// <param name="Documents">How many.</param>
public sealed record LengthCount(long FromCharacters, long Documents);

/// <summary>Documents of one language, by its code.</summary>
public sealed record LanguageCount(string Language, long Documents);
