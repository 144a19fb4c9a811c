using System.Collections.Concurrent;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// The profiles of the languages of one script, side by side: an n-gram is looked up once for all of them. Safe for several threads.
/// </summary>
internal sealed class LanguageScores
{
    /// <summary>The first so many different words: frequent ones come early. About 200 bytes each.</summary>
    private const int MaxRemembered = 50_000;

    private const int MaxRememberedLength = 32;

    private readonly ConcurrentDictionary<string, double[]> remembered = new(StringComparer.Ordinal);
    private readonly string[] languages;
    private readonly Dictionary<string, double[]>[] gains = new Dictionary<string, double[]>[LanguageProfile.MaxNgram + 1];
    private int rememberedWords;

    public LanguageScores(IReadOnlyList<LanguageProfile> profiles)
    {
        languages = [.. profiles.Select(profile => profile.Language)];
        for (int n = 0; n < gains.Length; n++)
        {
            gains[n] = new Dictionary<string, double[]>(StringComparer.Ordinal);
        }

        foreach ((int language, LanguageProfile profile) in profiles.Index())
        {
            foreach ((int n, string ngram, double gain) in profile.Gains())
            {
                if (!gains[n].TryGetValue(ngram, out double[]? known))
                {
                    gains[n][ngram] = known = new double[languages.Length];
                }

                known[language] = gain;
            }
        }
    }

    /// <summary>The language in which the words, with their counts, are the likeliest; the first of equal ones.</summary>
    public string Best(Dictionary<string, int> words)
    {
        double[] sums = new double[languages.Length];
        if (languages.Length > 1)
        {
            foreach ((string word, int count) in words)
            {
                Add(count, ScoresOf(word), sums);
            }
        }

        return languages[Array.IndexOf(sums, sums.Max())];
    }

    /// <summary>The scores of a word in each language; those of frequent words are remembered.</summary>
    private double[] ScoresOf(string word)
    {
        if (remembered.TryGetValue(word, out double[]? known))
        {
            return known;
        }

        double[] scores = new double[languages.Length];
        AddWord(word, scores);

        // Counted here, as asking the dictionary locks all of it. Which words are remembered changes no score.
        if (word.Length <= MaxRememberedLength
            && Volatile.Read(ref rememberedWords) < MaxRemembered
            && Interlocked.Increment(ref rememberedWords) <= MaxRemembered)
        {
            remembered.TryAdd(word, scores);
        }

        return scores;
    }

    private void AddWord(string word, double[] sums)
    {
        Add(LanguageProfile.WholeWord, word, sums);
        Span<char> marked = word.Length < 100 ? stackalloc char[word.Length + 2] : new char[word.Length + 2];
        LanguageProfile.Mark(word, marked);
        for (int n = 1; n <= LanguageProfile.MaxNgram; n++)
        {
            for (int start = 0; start + n <= marked.Length; start++)
            {
                Add(n, marked.Slice(start, n), sums);
            }
        }
    }

    private void Add(int n, ReadOnlySpan<char> ngram, double[] sums)
    {
        if (gains[n].GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(ngram, out double[]? known))
        {
            Add(1, known, sums);
        }
    }

    private static void Add(int times, double[] scores, double[] sums)
    {
        for (int language = 0; language < sums.Length; language++)
        {
            sums[language] += times * scores[language];
        }
    }
}
