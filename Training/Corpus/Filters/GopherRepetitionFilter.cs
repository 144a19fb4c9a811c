using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;

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

        RepeatedNgrams repeated = RepeatedNgrams.Borrow(document.Words);
        for (int i = 0; i < options.MaxTopNgrams.Count; i++)
        {
            repeated.Find(FirstTop + i);
            double share = repeated.TopShare();
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
            repeated.Find(FirstDuplicate + i);
            double share = repeated.DuplicateShare();
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
        int lines = 1 + text.AsSpan().Count('\n');
        if (lines == 1)
        {
            return null;
        }

        HashCounter seen = HashCounter.Borrow(lines);
        int duplicates = 0;
        int characters = 0;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            ReadOnlySpan<char> line = text.AsSpan()[range];
            if (!seen.IsNew(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(line))))
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

    private static FilterVerdict Remove(string reason, double share, double limit) =>
        FilterVerdict.Remove(reason, string.Create(CultureInfo.InvariantCulture, $"share {share:0.###}, at most {limit:0.###}"));
}
