namespace ElectraPipeline.Dashboard.Pages;

/// <summary>What became of the records; they add up.</summary>
public sealed record ManifestCorpus(
    long Records,
    long Documents,
    long Duplicates,
    long Empty,
    long Skipped,
    long Rejected,
    long TextBytesRead,
    long TextBytesOut,
    long Lines,
    long DuplicateLines,
    IReadOnlyList<ManifestInput> Inputs,
    IReadOnlyList<ManifestReject> Skips,
    IReadOnlyList<ManifestReject> Rejects,
    ManifestFilters? Filters = null,
    IReadOnlyList<ManifestDocument>? Samples = null,
    ManifestLinks? LinksLeftOut = null
);

/// <summary>Links in folders that were not followed, as they lead elsewhere, and the names of the first.</summary>
public sealed record ManifestLinks(long Count, IReadOnlyList<string> Samples);

/// <summary>The beginning of a document that was kept.</summary>
public sealed record ManifestDocument(string Source, string Id, string Excerpt);

/// <summary>A file that was read.</summary>
public sealed record ManifestInput(string Name);

/// <summary>Records that were left out by their reader for one reason.</summary>
public sealed record ManifestReject(string Reason, long Count, IReadOnlyList<ManifestRejectSample> Samples);

/// <summary>Where one of them stands. Line: from 1, 0 where a format has none. Offset: in bytes.</summary>
public sealed record ManifestRejectSample(string Source, long Line, long Offset, string Detail);

/// <summary>What the filters did.</summary>
public sealed record ManifestFilters(
    long Documents,
    IReadOnlyList<ManifestFilterCount> DocumentReasons,
    IReadOnlyList<ManifestFilterCount> LineReasons,
    IReadOnlyList<ManifestLength> Lengths,
    IReadOnlyList<ManifestLanguage>? Languages = null
);

/// <summary>What one filter removed for one reason.</summary>
public sealed record ManifestFilterCount(string Filter, string Reason, long Count, IReadOnlyList<ManifestFilterSample> Samples);

/// <summary>A document or line that was removed.</summary>
public sealed record ManifestFilterSample(string Source, string Id, string Excerpt, string Detail);

/// <summary>Documents of at least so many characters, and of less than twice as many.</summary>
public sealed record ManifestLength(long FromCharacters, long Documents);

/// <summary>Documents of one language.</summary>
public sealed record ManifestLanguage(string Language, long Documents);

/// <summary>Tokens of one part of the corpus.</summary>
public sealed record ManifestPart(long TokensIn, long UnknownTokens, IReadOnlyList<ManifestToken>? FrequentTokens = null);

/// <summary>A token and how often it occurs in a part.</summary>
public sealed record ManifestToken(string Token, long Count);
