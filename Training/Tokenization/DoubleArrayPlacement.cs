namespace ElectraPipeline.Training.Tokenization;

/// <summary>Finds cells for the children of trie nodes so that no two children share one: first fit over the free cells.</summary>
internal sealed class DoubleArrayPlacement
{
    private const int Labels = 256;

    /// <summary>Free cells looked at before the search moves to the end: bounds the time, costs a little room.</summary>
    private const int MaxTries = 512;

    private readonly List<int> bases = [];
    private readonly List<int> parents = [];
    private readonly List<int> nextFree = [];
    private int firstFree;

    /// <summary>Takes the cells of the two roots; returns the second's, the first's being 0.</summary>
    public int TakeRoots()
    {
        Extend(Labels);
        firstFree = 2;
        return 1;
    }

    /// <summary>Gives the children of <paramref name="parent"/> cells base + label and returns the base.</summary>
    public int Place(int parent, List<byte> labels)
    {
        int chosen = Find(labels);
        bases[parent] = chosen;
        foreach (byte label in labels)
        {
            parents[chosen + label] = parent;
        }

        while (firstFree < parents.Count && parents[firstFree] >= 0)
        {
            firstFree = NextFree(firstFree);
        }

        return chosen;
    }

    /// <summary>The arrays, long enough for every base plus any label.</summary>
    public (int[] Bases, int[] Parents) Finish()
    {
        Extend(bases.Max() + Labels);
        return ([.. bases], [.. parents]);
    }

    private int Find(List<byte> labels)
    {
        int tries = 0;
        for (int cell = firstFree; cell < parents.Count && tries < MaxTries; cell = NextFree(cell), tries++)
        {
            int candidate = cell - labels[0];
            if (candidate >= 0 && parents[cell] < 0 && Fits(candidate, labels))
            {
                return candidate;
            }
        }

        int end = Math.Max(0, parents.Count - labels[0]);
        Extend(end + labels[^1] + 1);
        return end;
    }

    private bool Fits(int candidate, List<byte> labels)
    {
        Extend(candidate + labels[^1] + 1);
        foreach (byte label in labels)
        {
            if (parents[candidate + label] >= 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The next free cell behind <paramref name="cell"/>; chains through taken ones are shortened on the way.</summary>
    private int NextFree(int cell)
    {
        int next = nextFree[cell];
        while (next < parents.Count && parents[next] >= 0)
        {
            next = nextFree[next];
        }

        return nextFree[cell] = next;
    }

    private void Extend(int length)
    {
        while (parents.Count < length)
        {
            bases.Add(0);
            parents.Add(parents.Count < 2 ? int.MaxValue : -1);
            nextFree.Add(nextFree.Count + 1);
        }
    }
}
