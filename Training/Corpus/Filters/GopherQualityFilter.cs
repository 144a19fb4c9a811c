using System.Buffers;
using System.Globalization;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>The quality rules of Gopher, with the stop words of many languages where the paper has those of English.</summary>
internal sealed class GopherQualityFilter : IDocumentFilter
{
    private static readonly SearchValues<char> Bullets = SearchValues.Create("•‣⁃◦▪●○■□·*-–—");

    private readonly GopherQualityOptions options;
    private readonly StopWordTable spacedStopWords;
    private readonly IReadOnlyList<string[]> unspacedStopWords;

    public GopherQualityFilter(GopherQualityOptions options)
    {
        this.options = options;
        var stopWords = (options.Languages.Count > 0 ? options.Languages : FrequentWords.Instance.Languages)
            .Select(language => FrequentWords.Instance.Of(language).Take(FrequentWords.StopWords).ToArray())
            .ToList();
        spacedStopWords = new StopWordTable([
            .. stopWords.Where(words => !IsUnspaced(words)).Select(words => words.Select(HashOf).ToArray()),
        ]);
        unspacedStopWords = [.. stopWords.Where(IsUnspaced)];
    }

    public string Name => "gopherQuality";

    public FilterVerdict Judge(FilteredDocument document)
    {
        TextWords words = document.Words;
        return CheckWords(words)
            ?? CheckSymbols(document.Text, words.Count)
            ?? CheckLines(document.Text)
            ?? CheckStopWords(document.Text, words)
            ?? FilterVerdict.Keep;
    }

    private FilterVerdict? CheckWords(TextWords words)
    {
        if (words.Count < options.MinWords)
        {
            return FilterVerdict.Remove("too-few-words", $"{words.Count}, at least {options.MinWords}");
        }

        if (words.Count > options.MaxWords)
        {
            return FilterVerdict.Remove("too-many-words", $"{words.Count}, at most {options.MaxWords}");
        }

        double mean = words.Count == 0 ? 0 : (double)words.Characters / words.Count;
        return words.IsUnspaced ? null
            : mean < options.MinMeanWordLength
                ? FilterVerdict.Remove("words-too-short", Figure("mean", mean, "at least", options.MinMeanWordLength))
            : mean > options.MaxMeanWordLength
                ? FilterVerdict.Remove("words-too-long", Figure("mean", mean, "at most", options.MaxMeanWordLength))
            : null;
    }

    private FilterVerdict? CheckSymbols(ReadOnlySpan<char> text, int words)
    {
        double hashes = (double)text.Count('#') / Math.Max(1, words);
        if (hashes > options.MaxSymbolsPerWord)
        {
            return FilterVerdict.Remove("too-many-hashes", Figure("'#' a word", hashes, "at most", options.MaxSymbolsPerWord));
        }

        double ellipses = (double)(text.Count("...") + text.Count('…')) / Math.Max(1, words);
        if (ellipses > options.MaxSymbolsPerWord)
        {
            return FilterVerdict.Remove("too-many-ellipses", Figure("ellipses a word", ellipses, "at most", options.MaxSymbolsPerWord));
        }

        double letters = ShareWithLetter(text);
        return letters < options.MinWordsWithLetter
            ? FilterVerdict.Remove(
                "too-few-letters",
                Figure("share of words with a letter", letters, "at least", options.MinWordsWithLetter)
            )
            : null;
    }

    private FilterVerdict? CheckLines(ReadOnlySpan<char> text)
    {
        int lines = 0;
        int bullets = 0;
        int ellipses = 0;
        foreach (ReadOnlySpan<char> line in text.EnumerateLines())
        {
            lines++;
            bullets += !line.IsEmpty && Bullets.Contains(line[0]) ? 1 : 0;
            ellipses += line.EndsWith("...") || line.EndsWith('…') ? 1 : 0;
        }

        double bulletShare = (double)bullets / lines;
        double ellipsisShare = (double)ellipses / lines;
        return bulletShare > options.MaxBulletLines
                ? FilterVerdict.Remove("bullet-lines", Figure("share", bulletShare, "at most", options.MaxBulletLines))
            : ellipsisShare > options.MaxEllipsisLines
                ? FilterVerdict.Remove("ellipsis-lines", Figure("share", ellipsisShare, "at most", options.MaxEllipsisLines))
            : null;
    }

    private FilterVerdict? CheckStopWords(string text, TextWords words)
    {
        int best = spacedStopWords.MostOfOneLanguage(words.Hashes, options.MinStopWords);

        // A word of these scripts is no run of letters that could be looked up.
        best = words.IsUnspaced ? unspacedStopWords.Select(list => list.Count(text.Contains)).Append(best).Max() : best;
        return best < options.MinStopWords
            ? FilterVerdict.Remove("too-few-stop-words", $"{best} different ones, at least {options.MinStopWords}")
            : null;
    }

    private static double ShareWithLetter(ReadOnlySpan<char> text)
    {
        int all = 0;
        int withLetter = 0;
        bool inWord = false;
        bool hasLetter = false;
        foreach (char character in text)
        {
            if (character is ' ' or '\n' or '\t')
            {
                withLetter += hasLetter ? 1 : 0;
                inWord = hasLetter = false;
                continue;
            }

            all += inWord ? 0 : 1;
            inWord = true;

            // Letters beyond the basic plane (surrogates) are ideographs or rare scripts, emoji hardly ever.
            hasLetter = hasLetter || char.IsLetter(character) || char.IsSurrogate(character);
        }

        withLetter += hasLetter ? 1 : 0;
        return all == 0 ? 0 : (double)withLetter / all;
    }

    private static bool IsUnspaced(string[] words) => TextWords.IsUnspacedLetter(words[0][0]);

    private static ulong HashOf(string word) => TextWords.Of(word).Hashes[0];

    private static string Figure(string what, double value, string bound, double limit) =>
        string.Create(CultureInfo.InvariantCulture, $"{what} {value:0.###}, {bound} {limit:0.###}");
}
