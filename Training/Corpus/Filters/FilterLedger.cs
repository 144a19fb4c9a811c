using System.Numerics;
using System.Text;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Counts what filters remove, by filter and reason, and keeps the first few of each.</summary>
internal sealed class FilterLedger(IReadOnlyList<string> filters)
{
    private const int SamplesKept = 10;
    private const int ExcerptLength = 160;
    private readonly Dictionary<(string Filter, string Reason), Tally> documents = [];
    private readonly Dictionary<(string Filter, string Reason), Tally> lines = [];
    private readonly SortedDictionary<string, long> languages = new(StringComparer.Ordinal);
    private readonly long[] lengths = new long[33];

    /// <summary>Counts a document that has passed, or not passed, all filters; in source order.</summary>
    public void Add(FilteredDocument document)
    {
        if (document.Removal is { } removal)
        {
            TallyOf(documents, removal.Filter, removal.Reason).Add(document.Original, document.Original.Text, removal.Detail);
            return;
        }

        foreach ((string filter, RemovedLine line) in document.RemovedLines)
        {
            TallyOf(lines, filter, line.Reason).Add(document.Original, line.Text, "");
        }
    }

    /// <summary>Counts the length and the language, if it is known, of a document that is written.</summary>
    public void AddWritten(string text, string? language)
    {
        lengths[text.Length == 0 ? 0 : BitOperations.Log2((uint)text.Length) + 1]++;
        if (language is not null)
        {
            languages[language] = languages.GetValueOrDefault(language) + 1;
        }
    }

    public FilterReport Report() =>
        new()
        {
            Documents = documents.Values.Sum(tally => tally.Count),
            DocumentBytes = documents.Values.Sum(tally => tally.Bytes),
            Lines = lines.Values.Sum(tally => tally.Count),
            LineBytes = lines.Values.Sum(tally => tally.Bytes),
            DocumentReasons = Counts(documents),
            LineReasons = Counts(lines),
            Languages =
                languages.Count == 0
                    ? null
                    : [.. languages.OrderByDescending(pair => pair.Value).Select(pair => new LanguageCount(pair.Key, pair.Value))],
            Lengths =
            [
                .. lengths
                    .Index()
                    .Where(length => length.Item > 0)
                    .Select(length => new LengthCount(length.Index == 0 ? 0 : 1L << (length.Index - 1), length.Item)),
            ],
        };

    /// <summary>The beginning of a text on one line, cut between characters.</summary>
    public static string Excerpt(ReadOnlySpan<char> text, int length)
    {
        if (text.Length <= length)
        {
            return text.ToString().ReplaceLineEndings(" ");
        }

        int end = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return text[..end].ToString().ReplaceLineEndings(" ") + "…";
    }

    private static Tally TallyOf(Dictionary<(string Filter, string Reason), Tally> tallies, string filter, string reason)
    {
        if (!tallies.TryGetValue((filter, reason), out Tally? tally))
        {
            tallies[(filter, reason)] = tally = new Tally();
        }

        return tally;
    }

    private List<FilterCount> Counts(Dictionary<(string Filter, string Reason), Tally> tallies) =>
        tallies
            .OrderBy(pair => filters.Index().First(filter => filter.Item == pair.Key.Filter).Index)
            .ThenByDescending(pair => pair.Value.Count)
            .ThenBy(pair => pair.Key.Reason, StringComparer.Ordinal)
            .Select(pair => new FilterCount(pair.Key.Filter, pair.Key.Reason, pair.Value.Count, pair.Value.Bytes, pair.Value.Samples))
            .ToList();

    private sealed class Tally
    {
        public long Count { get; private set; }

        public long Bytes { get; private set; }

        public List<FilterSample> Samples { get; } = [];

        public void Add(Document document, string text, string detail)
        {
            Count++;
            Bytes += Encoding.UTF8.GetByteCount(text) + 1;
            if (Samples.Count < SamplesKept)
            {
                Samples.Add(new FilterSample(document.Source, document.Id, Excerpt(text, ExcerptLength), detail));
            }
        }
    }
}
