using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// The profiles of the languages of one script, side by side: an n-gram is looked up once for all of them. Safe for several threads.
/// </summary>
internal sealed class LanguageScores
{
    /// <summary>
    /// Places for the scores of words. Frequent words come early, so that they nearly always have one. About 200 bytes each.
    /// </summary>
    private const int Places = 1 << 17;

    /// <summary>A word may be in so many places, from the one on that its hash tells; the last one goes to the latest word.</summary>
    private const int Ways = 4;

    private const int MaxRememberedLength = 32;

    private readonly KnownWord?[] remembered = new KnownWord?[Places + Ways];
    private readonly string[] languages;
    private readonly GainTable ngrams;
    private readonly GainTable words;
    private readonly int width;

    public LanguageScores(IReadOnlyList<LanguageProfile> profiles)
    {
        languages = [.. profiles.Select(profile => profile.Language)];
        width = (languages.Length + Vector<double>.Count - 1) / Vector<double>.Count * Vector<double>.Count;
        Dictionary<ulong, double[]> ngramGains = [],
            wordGains = [];
        foreach ((int language, LanguageProfile profile) in profiles.Index())
        {
            foreach ((int n, string ngram, double gain) in profile.Gains())
            {
                bool isWord = n == LanguageProfile.WholeWord;
                ref double[]? known = ref CollectionsMarshal.GetValueRefOrAddDefault(
                    isWord ? wordGains : ngramGains,
                    isWord ? TextWords.HashOf(ngram) : KeyOf(ngram),
                    out _
                );
                (known ??= new double[width])[language] = gain;
            }
        }

        ngrams = new GainTable(ngramGains, width);
        words = new GainTable(wordGains, width);
    }

    /// <summary>
    /// The language in which words are the likeliest; the first of equal ones. Only those in <paramref name="script"/> count.
    /// </summary>
    public string Best(TextWords text, int first, int last, Script script)
    {
        if (languages.Length == 1)
        {
            return languages[0];
        }

        // Each word once with its number, in the order in which they come: the order of a sum is in its last bits.
        HashCounter counter = HashCounter.Borrow(last - first);
        int[] places = ArrayPool<int>.Shared.Rent(last - first);
        int[] distinct = ArrayPool<int>.Shared.Rent(last - first);
        int count = 0;
        for (int i = first; i < last; i++)
        {
            if (Scripts.Of(text[i]) == script)
            {
                places[count] = counter.Add(text.Hashes[i]);
                distinct[count] = i;
                count += counter[places[count]] == 1 ? 1 : 0;
            }
        }

        Span<double> sums = stackalloc double[width];
        sums.Clear();
        for (int i = 0; i < count; i++)
        {
            Add(counter[places[i]], ScoresOf(text.Hashes[distinct[i]], text[distinct[i]]), sums);
        }

        ArrayPool<int>.Shared.Return(places);
        ArrayPool<int>.Shared.Return(distinct);
        return languages[IndexOfMax(sums[..languages.Length])];
    }

    private static int IndexOfMax(ReadOnlySpan<double> values)
    {
        int top = 0;
        for (int i = 1; i < values.Length; i++)
        {
            top = values[i] > values[top] ? i : top;
        }

        return top;
    }

    /// <summary>The scores of a word in each language; those of frequent words are remembered.</summary>
    private double[] ScoresOf(ulong hash, ReadOnlySpan<char> word)
    {
        int place = (int)(hash % Places);
        int last = place + Ways - 1;
        while (Volatile.Read(ref remembered[place]) is { } known)
        {
            if (known.Hash == hash)
            {
                return known.Scores;
            }

            if (place == last)
            {
                break;
            }

            place++;
        }

        double[] scores = new double[width];
        AddWord(hash, Scripts.LowerCase(word), scores);
        if (word.Length <= MaxRememberedLength)
        {
            Volatile.Write(ref remembered[place], new KnownWord(hash, scores));
        }

        return scores;
    }

    private void AddWord(ulong hash, string word, Span<double> sums)
    {
        Add(1, words.Find(hash), sums);

        // Zeros behind it, so that four characters can be read at each.
        int length = word.Length + 2;
        int room = length + LanguageProfile.MaxNgram;
        Span<char> marked = room <= 128 ? stackalloc char[room] : new char[room];
        marked.Clear();
        LanguageProfile.Mark(word, marked[..length]);
        for (int n = 1; n <= LanguageProfile.MaxNgram; n++)
        {
            for (int start = 0; start + n <= length; start++)
            {
                Add(1, ngrams.Find(KeyOf(marked.Slice(start, LanguageProfile.MaxNgram), n)), sums);
            }
        }
    }

    private static void Add(int times, ReadOnlySpan<double> scores, Span<double> sums)
    {
        ReadOnlySpan<Vector<double>> terms = MemoryMarshal.Cast<double, Vector<double>>(scores);
        Span<Vector<double>> totals = MemoryMarshal.Cast<double, Vector<double>>(sums);
        for (int i = 0; i < terms.Length; i++)
        {
            totals[i] += times * terms[i];
        }
    }

    /// <summary>An n-gram of at most four characters as a number: its characters, none of which is 0, and zeros behind them.</summary>
    private static ulong KeyOf(string ngram)
    {
        Span<char> characters = stackalloc char[LanguageProfile.MaxNgram];
        characters.Clear();
        ngram.CopyTo(characters);
        return KeyOf(characters, ngram.Length);
    }

    private static ulong KeyOf(ReadOnlySpan<char> characters, int n) =>
        MemoryMarshal.Read<ulong>(MemoryMarshal.AsBytes(characters)) & (ulong.MaxValue >> (64 - (16 * n)));

    /// <param name="Hash">Of the word, see <see cref="TextWords.Hashes"/>.</param>
    /// <param name="Scores">In each language.</param>
    private sealed record KnownWord(ulong Hash, double[] Scores);
}
