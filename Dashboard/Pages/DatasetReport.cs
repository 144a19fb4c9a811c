using System.Text.Json;
using ElectraPipeline.Dashboard.Components;

namespace ElectraPipeline.Dashboard.Pages;

/// <summary>What became of a dataset's text: the part of the manifest in the registry that the page shows.</summary>
/// <remarks>
/// The stored JSON is the contract, as for any other reader of the registry: the dashboard does not know the code that wrote it.
/// </remarks>
/// <param name="Corpus">The counts of ingestion.</param>
/// <param name="Shards">The counts of tokenization, one a part.</param>
public sealed record DatasetReport(ManifestCorpus Corpus, IReadOnlyList<ManifestPart> Shards)
{
    /// <summary>Each part tells a hundred: the first fifty of their sum are those of all text.</summary>
    private const int FrequentTokensShown = 50;

    private static readonly JsonSerializerOptions _strict = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true };

    /// <summary>Tokens of the text.</summary>
    public long Tokens => Shards.Sum(part => part.TokensIn);

    /// <summary>[UNK] among them, in [0, 1].</summary>
    public double UnknownShare => Shards.Sum(part => part.UnknownTokens) / (double)Math.Max(1, Tokens);

    /// <summary>The most frequent tokens of all parts with their numbers, the most frequent first.</summary>
    public IReadOnlyList<ManifestToken> FrequentTokens =>
        [
            .. Shards
                .SelectMany(part => part.FrequentTokens ?? [])
                .GroupBy(token => token.Token, StringComparer.Ordinal)
                .Select(group => new ManifestToken(group.Key, group.Sum(token => token.Count)))
                .OrderByDescending(token => token.Count)
                .ThenBy(token => token.Token, StringComparer.Ordinal)
                .Take(FrequentTokensShown),
        ];

    /// <summary>Where a document that was kept stood, and how it begins.</summary>
    public IEnumerable<(string Place, string Text)> Samples =>
        (Corpus.Samples ?? []).Select(sample => (Place(sample.Source, sample.Id), sample.Excerpt));

    /// <summary>Each outcome of a record with its number; they add up to <see cref="ManifestCorpus.Records"/>.</summary>
    public IEnumerable<(string Outcome, long Count)> Outcomes =>
        [
            ("kept", Corpus.Documents),
            ("removed by filters", Corpus.Filters?.Documents ?? 0),
            ("duplicates", Corpus.Duplicates),
            ("empty", Corpus.Empty),
            ("no text by their kind", Corpus.Skipped),
            ("not readable", Corpus.Rejected),
        ];

    /// <summary>All that was left out and why, with what it was.</summary>
    public IEnumerable<DatasetRemoval> Removals =>
        [
            .. (Corpus.Filters?.DocumentReasons ?? []).Select(reason => Of(reason, "documents")),
            .. (Corpus.Filters?.LineReasons ?? []).Select(reason => Of(reason, "lines")),
            .. Corpus.Rejects.Select(reason => Of(reason, "not readable")),
            .. Corpus.Skips.Select(reason => Of(reason, "no text")),
            .. Corpus.LinksLeftOut is { } links ? (DatasetRemoval[])[Of(links)] : [],
        ];

    /// <summary>The report; null for a manifest of another layout, which the page then shows as it is.</summary>
    public static DatasetReport? Read(string manifest)
    {
        try
        {
            return JsonText.Parse(manifest).Deserialize<DatasetReport>(_strict) is { Corpus: not null, Shards: not null } report
                ? report
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static DatasetRemoval Of(ManifestFilterCount reason, string unit) =>
        new(
            reason.Filter,
            reason.Reason,
            unit,
            reason.Count,
            [
                .. reason.Samples.Select(sample =>
                    (Place(sample.Source, sample.Id), sample.Detail.Length == 0 ? sample.Excerpt : $"{sample.Excerpt} ({sample.Detail})")
                ),
            ]
        );

    private static DatasetRemoval Of(ManifestReject reason, string unit) =>
        new(
            "reader",
            reason.Reason,
            unit,
            reason.Count,
            [
                .. reason.Samples.Select(sample =>
                    ($"{sample.Source}{(sample.Line > 0 ? $", line {sample.Line}" : "")}, byte {sample.Offset}", sample.Detail)
                ),
            ]
        );

    private static DatasetRemoval Of(ManifestLinks links) =>
        new(
            "folders",
            "link-not-followed",
            "links",
            links.Count,
            [.. links.Samples.Select(name => (name, "leads out of its folder, nowhere, or around in a circle"))]
        );

    private static string Place(string source, string id) => id.StartsWith(source, StringComparison.Ordinal) ? id : $"{source}, {id}";
}

/// <summary>What was left out for one reason.</summary>
/// <param name="By">The filter, or "reader".</param>
/// <param name="Reason">Its word for it.</param>
/// <param name="Unit">"documents", "lines", or what readers tell of records.</param>
/// <param name="Count">How many.</param>
/// <param name="Samples">Where the first few stood, and what they are.</param>
public sealed record DatasetRemoval(string By, string Reason, string Unit, long Count, IReadOnlyList<(string Place, string Text)> Samples);
