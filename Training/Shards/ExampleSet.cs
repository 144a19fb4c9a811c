namespace ElectraPipeline.Training.Shards;

/// <summary>Which examples of a shard folder.</summary>
public enum Split
{
    /// <summary>Those to train on.</summary>
    Train,

    /// <summary>Those of documents held out for evaluation.</summary>
    HeldOut,
}

/// <summary>The examples of several shard folders as one list. Safe for several threads.</summary>
public sealed class ExampleSet : IDisposable
{
    private readonly List<ShardReader> shards = [];
    private readonly List<int> ends = [];

    private ExampleSet()
    {
    }

    /// <summary>Examples in all.</summary>
    public int Count => ends.Count == 0 ? 0 : ends[^1];

    /// <summary>L, tokens an example, padding included.</summary>
    public int SequenceLength { get; private set; }

    /// <summary>Opens the shards of a split, in the order given.</summary>
    /// <exception cref="PermanentException">One is missing or damaged, or they were made with different vocabularies or options.</exception>
    public static ExampleSet Open(IReadOnlyList<string> shardFolders, Split split)
    {
        if (shardFolders.Count == 0)
        {
            throw new PermanentException("no folder of shards is given; tokenize the corpus first");
        }

        var set = new ExampleSet();
        try
        {
            foreach (string folder in shardFolders)
            {
                set.Add(Path.Combine(folder, FileNameOf(split)));
            }
        }
        catch
        {
            set.Dispose();
            throw;
        }

        return set;
    }

    /// <summary>Copies an example, padded, into <paramref name="ids"/> [SequenceLength].</summary>
    /// <exception cref="PermanentException">Its block is damaged.</exception>
    public void Read(int index, Span<int> ids, out int length, out int secondSegmentStart)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        int shard = ends.BinarySearch(index + 1);
        shard = shard < 0 ? ~shard : shard;

        // An empty shard ends where the one before it ends: the first of equals holds the example.
        while (shard > 0 && ends[shard - 1] > index)
        {
            shard--;
        }

        shards[shard].Read(index - (shard == 0 ? 0 : ends[shard - 1]), ids, out length, out secondSegmentStart);
    }

    /// <summary>The examples from <paramref name="start"/> on, <paramref name="size"/> of them or as many as there are.</summary>
    public ExampleBatch Batch(int start, int size) => Batch(Enumerable.Range(start, Math.Min(size, Count - start)).ToArray());

    /// <summary>The examples with these indexes.</summary>
    public ExampleBatch Batch(ReadOnlySpan<int> indexes)
    {
        int[] ids = new int[indexes.Length * SequenceLength];
        int[] lengths = new int[indexes.Length];
        int[] seconds = new int[indexes.Length];
        for (int i = 0; i < indexes.Length; i++)
        {
            Read(indexes[i], ids.AsSpan(i * SequenceLength, SequenceLength), out lengths[i], out seconds[i]);
        }

        return new ExampleBatch(ids, lengths, seconds, indexes.Length, SequenceLength);
    }

    /// <summary>Closes the shards.</summary>
    public void Dispose()
    {
        foreach (var shard in shards)
        {
            shard.Dispose();
        }
    }

    internal static string FileNameOf(Split split) => split == Split.Train ? "train.shard" : "heldout.shard";

    private void Add(string path)
    {
        var shard = new ShardReader(path);
        shards.Add(shard);
        var first = shards[0].Header;
        if (shard.Header.SequenceLength != first.SequenceLength || !shard.Header.Vocabulary.AsSpan().SequenceEqual(first.Vocabulary) || !shard.Header.Options.AsSpan().SequenceEqual(first.Options))
        {
            throw new PermanentException($"{path} was made with another vocabulary, sequence length or other options than the shards before it; tokenize again");
        }

        SequenceLength = first.SequenceLength;
        ends.Add(Count + shard.Header.Count);
    }
}
