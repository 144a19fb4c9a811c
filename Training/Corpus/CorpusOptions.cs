using System.Text.Json.Serialization;
using ElectraPipeline.Training.Corpus.Filters;

namespace ElectraPipeline.Training.Corpus;

/// <summary>Which text is read, and how.</summary>
public sealed record CorpusOptions
{
    /// <summary>
    /// Files, folders (read whole) and globs ("corpus/**/*.jsonl.gz"), relative to the config file. The word "dotnet-docs" stands for
    /// the XML documentation under the packs folder of the .NET SDK in use.
    /// </summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>
    /// "auto" (by signature, else by name, else by content), "text", "jsonl", "parquet", "warc" (WET too), "arc", "mediawiki" or
    /// "dotnet-xml-docs".
    /// </summary>
    public string Format { get; init; } = "auto";

    /// <summary>JSONL: the field with the text; "fields.text" also finds "text" inside the object "fields". Parquet: the column.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>Plain text: a blank line ends a document; if false the whole file is one.</summary>
    public bool BlankLineEndsDocument { get; init; } = true;

    /// <summary>Drop documents whose text appeared before (exactly, after white space is folded).</summary>
    public bool RemoveDuplicates { get; init; } = true;

    /// <summary>
    /// Drop lines (sentences) that appeared before in any document. Null: only in "dotnet-xml-docs", where members that are
    /// inherited or overloaded repeat whole sentences.
    /// </summary>
    public bool? RemoveDuplicateLines { get; init; }

    /// <summary>Plain text: a document longer than this, in bytes, goes on as another one, so that memory stays bounded.</summary>
    public int MaxDocumentBytes { get; init; } = 16 << 20;

    /// <summary>
    /// How many times its size a compressed file may grow to, once it is above 64 MiB; what grows more is refused as a
    /// decompression bomb. Text shrinks to a third or a tenth, rarely a hundredth.
    /// </summary>
    public int MaxExpansion { get; init; } = Expansion.Usual;

    /// <summary>"skip" counts and names what cannot be read; "fail" stops at the first.</summary>
    public string OnReject { get; init; } = "skip";

    /// <summary>With "skip": the share of rejected records above which ingestion fails all the same, in [0, 1].</summary>
    public double MaxRejectShare { get; init; } = 0.05;

    /// <summary>Parts the documents are spread over by their hash; tokenization runs one job for each.</summary>
    public int Parts { get; init; } = 4;

    /// <summary>
    /// Keep documents compressed with zstd: half the room or less, but most of a run's way from text to shards is then compression.
    /// </summary>
    public bool Compress { get; init; }

    /// <summary>Filters of documents; null: none. Left out of JSON then, so that runs without filters keep their digests.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CorpusFilterOptions? Filters { get; init; }

    /// <summary>The same with the last part of each path only: the same corpus elsewhere on the disk is the same corpus.</summary>
    internal CorpusOptions WithNamesOnly() =>
        this with
        {
            Paths = [.. Paths.Select(NameOf)],
            Filters = Filters?.WithPaths((_, path) => NameOf(path)),
        };

    private static string NameOf(string path) => Path.GetFileName(path.TrimEnd('/'));
}
