namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>The profiles of the languages of one script, side by side: an n-gram is looked up once for all of them.</summary>
internal sealed class LanguageScores
{
    private readonly string[] languages;
    private readonly Dictionary<string, double[]>[] gains = new Dictionary<string, double[]>[LanguageProfile.MaxNgram + 1];

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
                AddWord(word, count, sums);
            }
        }

        return languages[Array.IndexOf(sums, sums.Max())];
    }

    private void AddWord(string word, int count, double[] sums)
    {
        Add(LanguageProfile.WholeWord, word, count, sums);
        Span<char> marked = word.Length < 100 ? stackalloc char[word.Length + 2] : new char[word.Length + 2];
        LanguageProfile.Mark(word, marked);
        for (int n = 1; n <= LanguageProfile.MaxNgram; n++)
        {
            for (int start = 0; start + n <= marked.Length; start++)
            {
                Add(n, marked.Slice(start, n), count, sums);
            }
        }
    }

    private void Add(int n, ReadOnlySpan<char> ngram, int count, double[] sums)
    {
        if (gains[n].GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(ngram, out double[]? known))
        {
            for (int language = 0; language < sums.Length; language++)
            {
                sums[language] += count * known[language];
            }
        }
    }
}
