using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>A token and how often it occurs.</summary>
public sealed record TokenCount(string Token, long Count);

/// <summary>Counts the tokens of documents, each by its id.</summary>
internal sealed class TokenTally(Vocabulary vocabulary)
{
    /// <summary>So many of a part's are told that the first fifty of the sum over some parts are those of all text.</summary>
    private const int Told = 100;

    private readonly long[] counts = new long[vocabulary.Count];

    /// <summary>The newest, in half the room: they stay near the processor.</summary>
    private readonly uint[] recent = new uint[vocabulary.Count];
    private long recentTokens;

    /// <summary>Counts ids of the vocabulary.</summary>
    public void Add(ReadOnlySpan<int> ids)
    {
        recentTokens += ids.Length;
        if (recentTokens > uint.MaxValue)
        {
            Settle();
            recentTokens = ids.Length;
        }

        ref uint first = ref MemoryMarshal.GetArrayDataReference(recent);
        foreach (int id in ids)
        {
            Unsafe.Add(ref first, id)++;
        }
    }

    /// <summary>Adds what another one of the same vocabulary counted.</summary>
    public void Add(TokenTally other)
    {
        other.Settle();
        for (int id = 0; id < counts.Length; id++)
        {
            counts[id] += other.counts[id];
        }
    }

    /// <summary>The result with the numbers of tokens.</summary>
    public TokenizeResult AddTo(TokenizeResult result)
    {
        Settle();
        return result with
        {
            TokensIn = counts.Sum(),
            UnknownTokens = counts[vocabulary.UnknownId],
            FrequentTokens = MostFrequent(Candidates().Select(id => new TokenCount(vocabulary.TokenOf(id), counts[id]))),
        };
    }

    /// <summary>The tokens of several counts together, the most frequent first, equal ones by their bytes.</summary>
    public static IReadOnlyList<TokenCount> MostFrequent(IEnumerable<TokenCount> tokens) =>
        [
            .. tokens
                .GroupBy(token => token.Token, StringComparer.Ordinal)
                .Select(group => new TokenCount(group.Key, group.Sum(token => token.Count)))
                .OrderByDescending(token => token.Count)
                .ThenBy(token => token.Token, StringComparer.Ordinal)
                .Take(Told),
        ];

    private void Settle()
    {
        for (int id = 0; id < counts.Length; id++)
        {
            counts[id] += recent[id];
        }

        Array.Clear(recent);
        recentTokens = 0;
    }

    /// <summary>All tokens that may be among the most frequent ones: those as frequent as the last of them, or more.</summary>
    private IEnumerable<int> Candidates()
    {
        long[] sorted = [.. counts];
        Array.Sort(sorted);
        long least = Math.Max(1, sorted[Math.Max(0, sorted.Length - Told)]);
        return Enumerable.Range(0, counts.Length).Where(id => counts[id] >= least);
    }
}
