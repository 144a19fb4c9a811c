namespace ElectraPipeline.Training.Tokenization;

/// <summary>Builds the trie of <see cref="WordPieceTrie"/>: nodes first, then their places in the double array, then failure links.</summary>
internal sealed class WordPieceTrieBuilder
{
    private readonly List<Node> nodes = [new Node(), new Node()];

    public WordPieceTrieBuilder(IReadOnlyList<(byte[] Token, bool Continues, int Id)> tokens)
    {
        foreach ((byte[] token, bool continues, int id) in tokens)
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
        for (int i = 0; i < order.Count; i++)
        {
            Node node = nodes[order[i]];
            if (node.Children.Count > 0)
            {
                int first = placement.Place(cellOf[order[i]], node.Children.Keys);
                foreach ((byte label, int child) in node.Children)
                {
                    cellOf[child] = first + label;
                    order.Add(child);
                }
            }
        }

        (int[] bases, int[] parents) = placement.Finish();
        return Link(new DoubleArray(bases, parents), order, cellOf, bases.Length);
    }

    private void Insert(byte[] token, int root, int id)
    {
        int node = root;
        foreach (byte label in token)
        {
            if (!nodes[node].Children.TryGetValue(label, out int child))
            {
                child = nodes.Count;
                nodes.Add(new Node { Parent = node, Label = label });
                nodes[node].Children.Add(label, child);
            }

            node = child;
        }

        nodes[node].Id = id;
    }

    /// <summary>Algorithm 2 of the paper, breadth first: a node's links follow from its parent's.</summary>
    private (DoubleArray Edges, int[] Failures, int[] PopStarts, int[] Pops) Link(DoubleArray edges, List<int> order, int[] cellOf, int cells)
    {
        int[] failures = new int[cells];
        Array.Fill(failures, -1);
        int[] popStarts = new int[cells];
        var pops = new List<int> { 0 };
        var settled = new List<int>();
        foreach (int number in order.Skip(2))
        {
            Node node = nodes[number];
            int cell = cellOf[number];
            settled.Clear();
            if (node.Id >= 0)
            {
                settled.Add(node.Id);
                failures[cell] = ContinuationRoot;
            }
            else
            {
                int from = cellOf[node.Parent];
                int next = -1;
                while (failures[from] >= 0 && next < 0)
                {
                    settled.AddRange(pops.GetRange(popStarts[from] + 1, pops[popStarts[from]]));
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

    private sealed class Node
    {
        public SortedList<byte, int> Children { get; } = [];

        public int Parent { get; init; }

        public byte Label { get; init; }

        /// <summary>The token that ends here; -1: none.</summary>
        public int Id { get; set; } = -1;
    }
}
