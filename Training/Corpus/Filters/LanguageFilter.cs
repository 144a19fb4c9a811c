using System.Globalization;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Finds each document's language and removes those in others than the allowed ones. A long document is looked at in pieces of some
/// lines; its language is the one that most of its text is in, and that share must be large enough.
/// </summary>
internal sealed class LanguageFilter(LanguageFilterOptions options, IReadOnlyList<SourceFile> profiles) : IDocumentFilter
{
    private const int PieceLength = 400;
    private const int MaxPieces = 50;

    private readonly LanguageIdentifier identifier =
        profiles.Count == 0 ? LanguageIdentifier.BuiltIn() : LanguageIdentifier.Trained(profiles);

    public string Name => "language";

    public FilterVerdict Judge(FilteredDocument document)
    {
        var lengths = new SortedDictionary<string, long>(StringComparer.Ordinal);
        string text = document.Text;
        TextWords words = document.Words;
        long all = 0;
        int first = 0;
        int start = 0;
        for (int piece = 0; piece < MaxPieces && start < text.Length; piece++)
        {
            int end = EndOfPiece(text, start);
            int last = first;
            while (last < words.Count && words.StartOf(last) < end)
            {
                last++;
            }

            all += end - start;
            if (identifier.Identify(words, first, last) is { } found)
            {
                lengths[found] = lengths.GetValueOrDefault(found) + end - start;
            }

            (first, start) = (last, end + 1);
        }

        if (lengths.Count == 0)
        {
            return FilterVerdict.Remove("no-language", "no letters of a known script");
        }

        (string language, long length) = lengths.MaxBy(pair => pair.Value);
        double share = (double)length / all;
        document.Language = language;
        return share < options.MinShare
                ? FilterVerdict.Remove("mixed-languages", Figure($"{share:0.##} in {language}, at least {options.MinShare:0.##}"))
            : options.Allowed.Count > 0 && !options.Allowed.Contains(language)
                ? FilterVerdict.Remove($"language-{language}", Figure($"share {share:0.##}"))
            : FilterVerdict.Keep;
    }

    private static string Figure(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// A piece is whole lines, together at least <see cref="PieceLength"/> long but for the last; a long line is one piece. What lies
    /// behind the pieces that are taken is not looked at.
    /// </summary>
    private static int EndOfPiece(string text, int start)
    {
        int end = text.IndexOf('\n', Math.Min(start + PieceLength - 1, text.Length));
        return end < 0 ? text.Length : end;
    }
}
