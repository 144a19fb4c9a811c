using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// Builds the trie of <see cref="WordPieceTrie"/>: nodes first, then their places in the double array, then failure links.
/// </summary>
internal sealed class WordPieceTrieBuilder
{
    private readonly List<Node> nodes = [new Node(), new Node()];

    public WordPieceTrieBuilder(IReadOnlyList<(byte[] Token, bool Continues, int Id)> tokens)
    {
        // In order, a token shares its path with the one before it: the child to follow is always the latest.
        foreach ((byte[] token, bool continues, int id) in tokens.Order(ByBytes.Instance))
        {
            Insert(token, continues ? 1 : 0, id);
        }

        // Labels are bytes of UTF-8, so no edge of the first root leads to the second: it gets a cell that no child takes.
        ContinuationRoot = 1;
    }

    /// <summary>The cell where a word goes on after its first token.</summary>
    public int ContinuationRoot { get; private set; }

    public (DoubleArray Edges, int[] Failures, int[] PopStarts, int[] Pops) Build()
    {
        var placement = new DoubleArrayPlacement();
        int[] cellOf = new int[nodes.Count];
        cellOf[1] = ContinuationRoot = placement.TakeRoots();
        var order = new List<int>(nodes.Count) { 0, 1 };
        var labels = new List<byte>();
        for (int i = 0; i < order.Count; i++)
        {
            Node node = nodes[order[i]];
            labels.Clear();
            for (int child = node.FirstChild; child != 0; child = nodes[child].NextSibling)
            {
                labels.Add(nodes[child].Label);
            }

            if (labels.Count > 0)
            {
                int first = placement.Place(cellOf[order[i]], labels);
                for (int child = node.FirstChild; child != 0; child = nodes[child].NextSibling)
                {
                    cellOf[child] = first + nodes[child].Label;
                    order.Add(child);
                }
            }
        }

        (int[] bases, int[] parents) = placement.Finish();
        return Link(new DoubleArray(bases, parents), order, cellOf, bases.Length);
    }

    private void Insert(byte[] token, int root, int id)
    {
        Span<Node> all = CollectionsMarshal.AsSpan(nodes);
        int node = root;
        int depth = 0;
        while (depth < token.Length && all[node].LastChild is not 0 and int last && all[last].Label == token[depth])
        {
            node = last;
            depth++;
        }

        for (; depth < token.Length; depth++)
        {
            int child = nodes.Count;
            nodes.Add(new Node { Parent = node, Label = token[depth] });
            all = CollectionsMarshal.AsSpan(nodes);
            ref Node parent = ref all[node];
            (parent.LastChild == 0 ? ref parent.FirstChild : ref all[parent.LastChild].NextSibling) = child;
            parent.LastChild = child;
            node = child;
        }

        all[node].Id = id + 1;
    }

    /// <summary>Algorithm 2 of the paper, breadth first: a node's links follow from its parent's.</summary>
    private (DoubleArray Edges, int[] Failures, int[] PopStarts, int[] Pops) Link(
        DoubleArray edges,
        List<int> order,
        int[] cellOf,
        int cells
    )
    {
        int[] failures = new int[cells];
        Array.Fill(failures, -1);
        int[] popStarts = new int[cells];
        var pops = new List<int> { 0 };
        var settled = new List<int>();
        foreach (int number in CollectionsMarshal.AsSpan(order)[2..])
        {
            Node node = nodes[number];
            int cell = cellOf[number];
            settled.Clear();
            if (node.Id > 0)
            {
                settled.Add(node.Id - 1);
                failures[cell] = ContinuationRoot;
            }
            else
            {
                int from = cellOf[node.Parent];
                int next = -1;
                while (failures[from] >= 0 && next < 0)
                {
                    settled.AddRange(CollectionsMarshal.AsSpan(pops).Slice(popStarts[from] + 1, pops[popStarts[from]]));
                    from = failures[from];
                    next = edges.Step(from, node.Label);
                }

                failures[cell] = next;
            }

            if (failures[cell] >= 0)
            {
                popStarts[cell] = pops.Count;
                pops.Add(settled.Count);
                pops.AddRange(settled);
            }
        }

        return (edges, failures, popStarts, [.. pops]);
    }

    /// <summary>Links are numbers of nodes; 0, the first root, is nobody's child and stands for none.</summary>
    private struct Node
    {
        public int Parent;
        public int FirstChild;
        public int LastChild;
        public int NextSibling;

        /// <summary>One above the id of the token that ends here; 0: none does.</summary>
        public int Id;
        public byte Label;
    }

    private sealed class ByBytes : IComparer<(byte[] Token, bool Continues, int Id)>
    {
        public static ByBytes Instance { get; } = new();

        public int Compare((byte[] Token, bool Continues, int Id) x, (byte[] Token, bool Continues, int Id) y) =>
            x.Token.AsSpan().SequenceCompareTo(y.Token);
    }
}
