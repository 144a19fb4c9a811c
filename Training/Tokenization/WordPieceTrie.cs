using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// Greedy longest-match-first segmentation of a word in one pass: LinMaxMatch of Song, Salcianu, Song, Dopson and Zhou, "Fast WordPiece
/// Tokenization" (2021), over bytes. A trie of the vocabulary where each node also knows which tokens the greedy match has settled on
/// when no edge fits ("pops") and the node that stands for what is left of the input ("failure").
/// </summary>
internal sealed class WordPieceTrie
{
    /// <summary>No node: the word cannot be spelled.</summary>
    private const int None = -1;

    private readonly DoubleArray edges;
    private readonly int[] failures;
    private readonly int[] popStarts;
    private readonly int[] pops;
    private readonly int continuationRoot;

    /// <summary>A trie of (token without "##", whether it had one, id).</summary>
    public WordPieceTrie(IReadOnlyList<(byte[] Token, bool Continues, int Id)> tokens)
    {
        WordPieceTrieBuilder builder = new(tokens);
        (edges, failures, popStarts, pops) = builder.Build();
        continuationRoot = builder.ContinuationRoot;
    }

    /// <summary>
    /// Writes the ids of <paramref name="word"/>'s tokens to <paramref name="ids"/>, which has room for one a byte, and returns how many
    /// there are; 0: the word cannot be spelled.
    /// </summary>
    public int Match(ReadOnlySpan<byte> word, Span<int> ids)
    {
        int count = 0;
        int node = DoubleArray.Root;
        foreach (byte label in word)
        {
            int next;
            while ((next = edges.Step(node, label)) < 0)
            {
                if (!Fail(ref node, ids, ref count))
                {
                    return 0;
                }
            }

            node = next;
        }

        while (node != continuationRoot)
        {
            if (!Fail(ref node, ids, ref count))
            {
                return 0;
            }
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Fail(ref int node, Span<int> ids, ref int count)
    {
        int failure = failures[node];
        if (failure == None)
        {
            return false;
        }

        // A list's first element is its length.
        int start = popStarts[node];
        ReadOnlySpan<int> settled = pops.AsSpan(start + 1, pops[start]);
        settled.CopyTo(ids[count..]);
        count += settled.Length;
        node = failure;
        return true;
    }
}

/// <summary>The edges of a trie over bytes in two numbers a node: child = base[node] + label, if that cell's parent is the node.</summary>
internal sealed class DoubleArray(int[] bases, int[] parents)
{
    /// <summary>Where matching starts.</summary>
    public const int Root = 0;

    private readonly Cell[] cells = [.. bases.Zip(parents, static (first, parent) => new Cell(first, parent))];

    /// <summary>The child of <paramref name="node"/> along <paramref name="label"/>, or a negative number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Step(int node, byte label)
    {
        ref Cell first = ref MemoryMarshal.GetArrayDataReference(cells);
        int child = Unsafe.Add(ref first, node).Base + label;
        return Unsafe.Add(ref first, child).Parent == node ? child : -1;
    }

    private readonly record struct Cell(int Base, int Parent);
}
