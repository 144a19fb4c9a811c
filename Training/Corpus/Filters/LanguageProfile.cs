using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>How frequent n-grams of characters are in the words of one language.</summary>
internal sealed class LanguageProfile
{
    /// <summary>Characters of the longest n-gram.</summary>
    public const int MaxNgram = 4;

    /// <summary>The "n" of whole words.</summary>
    public const int WholeWord = 0;

    /// <summary>What an n-gram that the profile lacks counts as, by n; [0] is for whole words.</summary>
    private static readonly double[] Floors = [2e-4, 1e-3, 1e-4, 3e-5, 1e-5];

    /// <summary>What an n-gram weighs, by n. Single characters tell Ukrainian from Russian and Persian from Arabic.</summary>
    private static readonly double[] Weights = [1, 1.5, 0.7, 1, 1];

    private readonly Dictionary<string, double>[] shares = new Dictionary<string, double>[MaxNgram + 1];

    private LanguageProfile(string language, IEnumerable<(string Word, double Weight)> words)
    {
        Language = language;
        for (int n = 0; n <= MaxNgram; n++)
        {
            shares[n] = new Dictionary<string, double>(StringComparer.Ordinal);
        }

        var scripts = new Dictionary<Script, double>();
        foreach ((string word, double weight) in words)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(scripts, Scripts.Of(word), out _) += weight * word.Length;
            Add(word, weight);
        }

        // Ideographs are in Japanese words too; stray kana may be in Chinese text.
        double kana = scripts.GetValueOrDefault(Script.Kana);
        Script = kana > 0 && 20 * kana > scripts.Values.Sum() ? Script.Kana : scripts.MaxBy(pair => pair.Value).Key;
        foreach (Dictionary<string, double> share in shares)
        {
            double total = share.Values.Sum();
            foreach (string ngram in share.Keys)
            {
                share[ngram] /= total;
            }
        }
    }

    /// <summary>Its code.</summary>
    public string Language { get; }

    /// <summary>The script that it is written in.</summary>
    public Script Script { get; }

    /// <summary>Of a list of words, the most frequent ones first, roughly.</summary>
    public static LanguageProfile OfWords(string language, IReadOnlyList<string> words) =>
        new(language, words.Distinct().Select((word, rank) => (word, 1 / Math.Pow(rank + 15, 0.6))));

    /// <summary>Of running text; null if it has no words.</summary>
    public static LanguageProfile? OfText(string language, string text)
    {
        var counts = new Dictionary<string, double>(StringComparer.Ordinal);
        TextWords words = TextWords.Of(text);
        for (int i = 0; i < words.Count; i++)
        {
            if (Scripts.Of(words[i]) != Script.None)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, Scripts.LowerCase(words[i]), out _)++;
            }
        }

        return counts.Count == 0 ? null : new LanguageProfile(language, counts.Select(pair => (pair.Key, pair.Value)));
    }

    /// <summary>
    /// Each n-gram (n = 0: a whole word) with what it adds to the logarithm of the likelihood over one that is not known.
    /// </summary>
    public IEnumerable<(int N, string Ngram, double Gain)> Gains() =>
        shares
            .Index()
            .SelectMany(share =>
                share.Item.Select(pair => (share.Index, pair.Key, Weights[share.Index] * Math.Log(1 + pair.Value / Floors[share.Index])))
            );

    /// <summary>Writes a word with '_' before and behind, so that its beginning and end are n-grams of their own.</summary>
    public static void Mark(ReadOnlySpan<char> word, Span<char> marked)
    {
        marked[0] = '_';
        word.CopyTo(marked[1..]);
        marked[^1] = '_';
    }

    private void Add(string word, double weight)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(shares[WholeWord], word, out _) += weight;
        Span<char> marked = new char[word.Length + 2];
        Mark(word, marked);
        for (int n = 1; n <= MaxNgram; n++)
        {
            for (int start = 0; start + n <= marked.Length; start++)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(shares[n], marked.Slice(start, n).ToString(), out _) += weight;
            }
        }
    }
}
