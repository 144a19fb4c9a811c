namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Finds the n-grams of words that occur more than once in a document, for one n after the other. Where n words repeat, their first n - 1
/// do too, so that each n looks only where the one before found something: of running text little is left at n = 3. A thread uses one again
/// for each document, and nothing is allocated. Not safe for several threads.
/// </summary>
internal sealed class RepeatedNgrams
{
    /// <summary>One that a huge document made larger than this is not kept.</summary>
    private const int MaxKept = 1 << 20;

    private const int MinRoom = 1 << 10;

    [ThreadStatic]
    private static RepeatedNgrams? own;

    private readonly int[] starts;
    private readonly int[] times;
    private readonly ulong[] hashes;
    private TextWords words = TextWords.Of("");
    private int count;
    private int length;

    private RepeatedNgrams(int room)
    {
        starts = new int[room];
        times = new int[room];
        hashes = new ulong[room];
    }

    /// <summary>The calling thread's, about these words. It uses the thread's <see cref="HashCounter"/>.</summary>
    public static RepeatedNgrams Borrow(TextWords words)
    {
        if (own is null || own.starts.Length < words.Count || own.starts.Length > Math.Max(MaxKept, words.Count))
        {
            own = new RepeatedNgrams(Math.Max(MinRoom, words.Count));
        }

        own.words = words;
        own.length = 0;
        return own;
    }

    /// <summary>Looks for n-grams of <paramref name="n"/> words that repeat.</summary>
    public void Find(int n)
    {
        if (length == 0 || n < length)
        {
            (count, length) = (words.Count, 0);
            for (int i = 0; i < count; i++)
            {
                starts[i] = i;
                hashes[i] = 0;
            }
        }

        Lengthen(n);
        HashCounter counter = HashCounter.Borrow(count);
        Span<int> places = times;
        for (int i = 0; i < count; i++)
        {
            places[i] = counter.Add(hashes[i]);
        }

        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            int occurrences = counter[places[i]];
            if (occurrences > 1)
            {
                (starts[kept], hashes[kept], times[kept]) = (starts[i], hashes[i], occurrences);
                kept++;
            }
        }

        count = kept;
    }

    /// <summary>
    /// The share of letters in the n-gram that covers most of them, once for each time it occurs; 0 if none occurs twice.
    /// </summary>
    public double TopShare()
    {
        long top = 0;
        for (int i = 0; i < count; i++)
        {
            top = Math.Max(top, times[i] * Letters(starts[i]));
        }

        return (double)top / Math.Max(1, words.Characters);
    }

    /// <summary>The share of letters in n-grams that occurred before; none counts twice.</summary>
    public double DuplicateShare()
    {
        HashCounter seen = HashCounter.Borrow(count);
        long repeated = 0;
        int next = 0;
        for (int i = 0; i < count; i++)
        {
            if (starts[i] >= next && !seen.IsNew(hashes[i]))
            {
                repeated += Letters(starts[i]);
                next = starts[i] + length;
            }
        }

        return (double)repeated / Math.Max(1, words.Characters);
    }

    /// <summary>Takes more words into the n-grams; those that the text ends before are left out.</summary>
    private void Lengthen(int n)
    {
        ReadOnlySpan<ulong> all = words.Hashes;
        while (count > 0 && starts[count - 1] + n > all.Length)
        {
            count--;
        }

        for (int i = 0; i < count; i++)
        {
            hashes[i] = WordNgrams.Append(hashes[i], all.Slice(starts[i] + length, n - length));
        }

        length = n;
    }

    private long Letters(int start)
    {
        long letters = 0;
        for (int word = start; word < start + length; word++)
        {
            letters += words.LengthOf(word);
        }

        return letters;
    }
}
