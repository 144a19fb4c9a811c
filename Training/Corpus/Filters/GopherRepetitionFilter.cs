using System.Globalization;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// The repetition rules of Gopher. Its rules for paragraphs are those for lines here: documents hold no blank lines. Shares of n-grams
/// are of the words' letters, so that spaces and punctuation weigh nothing.
/// </summary>
internal sealed class GopherRepetitionFilter(GopherRepetitionOptions options) : IDocumentFilter
{
    private const int FirstTop = 2;
    private const int FirstDuplicate = 5;

    public string Name => "gopherRepetition";

    public FilterVerdict Judge(FilteredDocument document)
    {
        if (CheckLines(document.Text) is { } lines)
        {
            return lines;
        }

        TextWords words = document.Words;
        for (int i = 0; i < options.MaxTopNgrams.Count; i++)
        {
            double share = TopShare(words, FirstTop + i);
            if (share > options.MaxTopNgrams[i])
            {
                return Remove($"top-{FirstTop + i}-gram", share, options.MaxTopNgrams[i]);
            }

            if (share == 0)
            {
                // What n words in a row do not do, repeat, n + 1 do not either.
                return FilterVerdict.Keep;
            }
        }

        for (int i = 0; i < options.MaxDuplicateNgrams.Count; i++)
        {
            double share = DuplicateShare(words, FirstDuplicate + i);
            if (share > options.MaxDuplicateNgrams[i])
            {
                return Remove($"duplicate-{FirstDuplicate + i}-grams", share, options.MaxDuplicateNgrams[i]);
            }

            if (share == 0)
            {
                break;
            }
        }

        return FilterVerdict.Keep;
    }

    private FilterVerdict? CheckLines(string text)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> lookup = seen.GetAlternateLookup<ReadOnlySpan<char>>();
        int lines = 0;
        int duplicates = 0;
        int characters = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            lines++;
            if (!lookup.Add(line))
            {
                duplicates++;
                characters += line.Length;
            }
        }

        double lineShare = (double)duplicates / lines;
        double characterShare = (double)characters / Math.Max(1, text.Length);
        return lineShare > options.MaxDuplicateLines ? Remove("duplicate-lines", lineShare, options.MaxDuplicateLines)
            : characterShare > options.MaxDuplicateLineCharacters
                ? Remove("duplicate-line-characters", characterShare, options.MaxDuplicateLineCharacters)
                : null;
    }

    /// <summary>
    /// The share of letters in the n-gram that covers most of them, once for each time it occurs; 0 if none occurs twice.
    /// </summary>
    private static double TopShare(TextWords words, int n)
    {
        var counts = new Dictionary<ulong, int>(words.Count);
        long top = 0;
        for (int start = 0; start + n <= words.Count; start++)
        {
            ulong hash = WordNgrams.Hash(words.Hashes.Slice(start, n));
            int count = counts.GetValueOrDefault(hash) + 1;
            counts[hash] = count;
            if (count > 1)
            {
                top = Math.Max(top, count * Letters(words, start, n));
            }
        }

        return (double)top / Math.Max(1, words.Characters);
    }

    /// <summary>The share of letters in n-grams that occurred before; none counts twice.</summary>
    private static double DuplicateShare(TextWords words, int n)
    {
        var seen = new HashSet<ulong>(words.Count);
        long repeated = 0;
        for (int start = 0; start + n <= words.Count;)
        {
            bool isNew = seen.Add(WordNgrams.Hash(words.Hashes.Slice(start, n)));
            repeated += isNew ? 0 : Letters(words, start, n);
            start += isNew ? 1 : n;
        }

        return (double)repeated / Math.Max(1, words.Characters);
    }

    private static long Letters(TextWords words, int start, int n)
    {
        long letters = 0;
        for (int word = start; word < start + n; word++)
        {
            letters += words.LengthOf(word);
        }

        return letters;
    }

    private static FilterVerdict Remove(string reason, double share, double limit) =>
        FilterVerdict.Remove(reason, string.Create(CultureInfo.InvariantCulture, $"share {share:0.###}, at most {limit:0.###}"));
}
