using System.Runtime.InteropServices;
using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>How a vocabulary is trained.</summary>
public sealed record VocabularyTrainerOptions
{
    /// <summary>Tokens, specials included; characters are never dropped for it.</summary>
    public int Size { get; init; } = 30_522;

    /// <summary>Pairs seen less often are not merged.</summary>
    public long MinFrequency { get; init; } = 2;

    /// <summary>Most frequent characters kept; 0: all.</summary>
    public int LimitAlphabet { get; init; } = 1_000;

    /// <summary>First tokens, in order.</summary>
    public IReadOnlyList<string> Specials { get; init; } = SpecialTokens.All;

    /// <summary>Tokens of which those of the form ## and one character give the order of these ids; null: order of first sight.</summary>
    public IReadOnlyList<string>? InitialOrder { get; init; }
}

/// <summary>
/// Trains a WordPiece vocabulary: byte-pair merges by count over words whose inner characters carry "##", as Hugging Face's trainer
/// does, except that words are taken in UTF-8 byte order, so that the result is a function of the counts.
/// </summary>
public sealed class VocabularyTrainer
{
    private const string Continuation = "##";

    private readonly VocabularyTrainerOptions options;
    private readonly List<string> tokens = [];
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly List<TrainedWord> words = [];
    private readonly Dictionary<Pair, long> pairCounts = [];
    private readonly PriorityQueue<Merge, Merge> queue = new(MergeOrder.Instance);

    private VocabularyTrainer(VocabularyTrainerOptions options) => this.options = options;

    /// <summary>The tokens in id order.</summary>
    /// <exception cref="PermanentException">
    /// There is no word: a vocabulary of special tokens alone would make every text nothing.
    /// </exception>
    public static IReadOnlyList<string> Train(
        IReadOnlyDictionary<string, long> wordCounts,
        VocabularyTrainerOptions options,
        CancellationToken cancellationToken = default
    )
    {
        if (wordCounts.Count == 0)
        {
            throw new PermanentException(
                "the text holds no words, so there is nothing to train a vocabulary on; give text with letters in it"
            );
        }

        var trainer = new VocabularyTrainer(options);
        foreach (string special in options.Specials)
        {
            trainer.IdOf(special);
        }

        trainer.AddAlphabet(wordCounts);
        trainer.AddWords(wordCounts);
        trainer.AddPairs();
        trainer.MergePairs(cancellationToken);
        return trainer.tokens;
    }

    private int IdOf(string token)
    {
        ref int id = ref CollectionsMarshal.GetValueRefOrAddDefault(ids, token, out bool known);
        if (!known)
        {
            id = tokens.Count;
            tokens.Add(token);
        }

        return id;
    }

    private void AddAlphabet(IReadOnlyDictionary<string, long> wordCounts)
    {
        var counts = new Dictionary<Rune, long>();
        foreach (var (word, count) in wordCounts)
        {
            foreach (Rune character in word.EnumerateRunes())
            {
                CollectionsMarshal.GetValueRefOrAddDefault(counts, character, out _) += count;
            }
        }

        var kept =
            options.LimitAlphabet == 0 || counts.Count <= options.LimitAlphabet
                ? counts.Keys
                : counts
                    .OrderByDescending(pair => pair.Value)
                    .ThenByDescending(pair => pair.Key)
                    .Take(options.LimitAlphabet)
                    .Select(pair => pair.Key);
        foreach (Rune character in kept.Order())
        {
            IdOf(character.ToString());
        }
    }

    private void AddWords(IReadOnlyDictionary<string, long> wordCounts)
    {
        var ordered = wordCounts.OrderBy(pair => pair.Key, CodePointOrder.Instance).ToList();
        if (options.InitialOrder is { } order)
        {
            var present = ordered
                .SelectMany(pair => InnerCharacters(pair.Key))
                .Where(IsKnown)
                .Select(character => Continuation + character)
                .ToHashSet();
            foreach (string token in order.Where(present.Contains))
            {
                IdOf(token);
            }
        }

        var known = new Dictionary<Rune, CharacterIds>();
        foreach (var (word, count) in ordered)
        {
            var symbols = new List<int>(word.Length);
            bool first = true;
            foreach (Rune character in word.EnumerateRunes())
            {
                ref CharacterIds ids = ref CollectionsMarshal.GetValueRefOrAddDefault(known, character, out bool seen);
                ids.IsKnown = seen ? ids.IsKnown : IsKnown(character);
                if (ids.IsKnown)
                {
                    ref int? id = ref first ? ref ids.First : ref ids.Inner;
                    symbols.Add(id ??= IdOf(first ? character.ToString() : Continuation + character));
                }

                first = false;
            }

            words.Add(new TrainedWord(symbols, count));
        }
    }

    private bool IsKnown(Rune character) => ids.ContainsKey(character.ToString());

    private static IEnumerable<Rune> InnerCharacters(string word) => word.EnumerateRunes().Skip(1);

    private void AddPairs()
    {
        var positions = new Dictionary<Pair, List<int>>();
        for (int w = 0; w < words.Count; w++)
        {
            var (symbols, count) = words[w];
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                var pair = new Pair(symbols[i], symbols[i + 1]);
                CollectionsMarshal.GetValueRefOrAddDefault(pairCounts, pair, out _) += count;
                AddPosition(positions, pair, w);
            }
        }

        Enqueue(positions);
    }

    private void MergePairs(CancellationToken cancellationToken)
    {
        while (tokens.Count < options.Size && queue.TryDequeue(out Merge merge, out _))
        {
            cancellationToken.ThrowIfCancellationRequested();
            long current = pairCounts[merge.Pair];
            if (merge.Count != current)
            {
                Enqueue(merge with { Count = current });
                continue;
            }

            if (merge.Count < 1 || merge.Count < options.MinFrequency)
            {
                break;
            }

            string right = tokens[merge.Pair.Right];
            int merged = IdOf(tokens[merge.Pair.Left] + (right.StartsWith(Continuation, StringComparison.Ordinal) ? right[2..] : right));
            var gained = new Dictionary<Pair, List<int>>();
            foreach (int word in merge.Words)
            {
                MergeIn(word, merge.Pair, merged, gained);
            }

            Enqueue(gained);
        }
    }

    // The merged pair's own count is not reduced, as in the original: its entry is gone, and no other can come up with that count.
    private void MergeIn(int index, Pair pair, int merged, Dictionary<Pair, List<int>> gained)
    {
        var (symbols, count) = words[index];
        Span<int> all = CollectionsMarshal.AsSpan(symbols);
        int kept = 0;
        for (int i = 0; i < all.Length; i++, kept++)
        {
            if (i + 1 == all.Length || all[i] != pair.Left || all[i + 1] != pair.Right)
            {
                all[kept] = all[i];
                continue;
            }

            if (kept > 0)
            {
                Change(new Pair(all[kept - 1], pair.Left), -count);
                Gain(new Pair(all[kept - 1], merged), count, index, gained);
            }

            all[kept] = merged;
            i++;
            if (i + 1 < all.Length)
            {
                Change(new Pair(pair.Right, all[i + 1]), -count);
                Gain(new Pair(merged, all[i + 1]), count, index, gained);
            }
        }

        CollectionsMarshal.SetCount(symbols, kept);
    }

    private void Change(Pair pair, long by) => CollectionsMarshal.GetValueRefOrAddDefault(pairCounts, pair, out _) += by;

    private void Gain(Pair pair, long by, int word, Dictionary<Pair, List<int>> gained)
    {
        Change(pair, by);
        AddPosition(gained, pair, word);
    }

    private static void AddPosition(Dictionary<Pair, List<int>> positions, Pair pair, int word)
    {
        var list = CollectionsMarshal.GetValueRefOrAddDefault(positions, pair, out _) ??= [];
        if (list.Count == 0 || list[^1] != word)
        {
            list.Add(word);
        }
    }

    private void Enqueue(Dictionary<Pair, List<int>> positions)
    {
        foreach (var (pair, where) in positions)
        {
            if (pairCounts[pair] > 0)
            {
                Enqueue(new Merge(pairCounts[pair], pair, where));
            }
        }
    }

    private void Enqueue(Merge merge) => queue.Enqueue(merge, merge);

    private readonly record struct Pair(int Left, int Right);

    private readonly record struct Merge(long Count, Pair Pair, List<int> Words);

    private sealed record TrainedWord(List<int> Symbols, long Count);

    private sealed class MergeOrder : IComparer<Merge>
    {
        public static MergeOrder Instance { get; } = new();

        public int Compare(Merge x, Merge y) =>
            x.Count != y.Count ? y.Count.CompareTo(x.Count)
            : x.Pair.Left != y.Pair.Left ? x.Pair.Left.CompareTo(y.Pair.Left)
            : x.Pair.Right.CompareTo(y.Pair.Right);
    }

    /// <summary>The order of UTF-8 bytes, which is that of code points, not of UTF-16 units.</summary>
    private sealed class CodePointOrder : IComparer<string>
    {
        public static CodePointOrder Instance { get; } = new();

        public int Compare(string? x, string? y)
        {
            int same = x.AsSpan().CommonPrefixLength(y);
            return same == x!.Length || same == y!.Length ? x.Length.CompareTo(y!.Length) : RankOf(x[same]).CompareTo(RankOf(y[same]));
        }

        /// <summary>Halves of surrogate pairs stand for characters above all that need none.</summary>
        private static int RankOf(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
    }

    /// <summary>The ids of a character, once they are needed.</summary>
    private struct CharacterIds
    {
        public bool IsKnown;
        public int? First;
        public int? Inner;
    }
}
