using System.Security.Cryptography;

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
    // Without empty ones, so that a position in the list belongs to one shard only.
    private readonly List<ShardReader> shards = [];
    private int[] ends = [];

    private ExampleSet() { }

    /// <summary>Examples in all.</summary>
    public int Count => ends.Length == 0 ? 0 : ends[^1];

    /// <summary>L, tokens an example, padding included.</summary>
    public int SequenceLength => Header.SequenceLength;

    /// <summary>What all shards have in common; the count is the first shard's.</summary>
    internal ShardHeader Header { get; private set; } = null!;

    /// <summary>Opens the shards of a split, in the order given.</summary>
    /// <param name="shardFolders">Outputs of tokenization.</param>
    /// <param name="split">Which examples.</param>
    /// <param name="allowed">Where the files may lie; null: anywhere.</param>
    /// <exception cref="PermanentException">
    /// One is missing or damaged, or lies where it may not, or they were made with different vocabularies or options.
    /// </exception>
    public static ExampleSet Open(IReadOnlyList<string> shardFolders, Split split, InputFolders? allowed = null)
    {
        if (shardFolders.Count == 0)
        {
            throw new PermanentException("no folder of shards is given; tokenize the corpus first");
        }

        return OpenFiles(shardFolders.Select(folder => Path.Combine(folder, FileNameOf(split))), allowed);
    }

    /// <summary>Opens shards, at least one, in the order given.</summary>
    /// <exception cref="PermanentException">As <see cref="Open"/>.</exception>
    internal static ExampleSet OpenFiles(IEnumerable<string> files, InputFolders? allowed = null)
    {
        var set = new ExampleSet();
        try
        {
            foreach (string file in files)
            {
                set.Add(file, allowed);
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
        int shard = ShardOf(index);
        shards[shard].Read(index - (shard == 0 ? 0 : ends[shard - 1]), ids, out length, out secondSegmentStart);
    }

    /// <summary>The examples from <paramref name="start"/> on, <paramref name="size"/> of them or as many as there are.</summary>
    public ExampleBatch Batch(int start, int size) => Batch(Enumerable.Range(start, Math.Min(size, Count - start)).ToArray());

    /// <summary>The examples with these indexes.</summary>
    public ExampleBatch Batch(ReadOnlySpan<int> indexes)
    {
        var batch = ExampleBatch.Uninitialized(indexes.Length, SequenceLength);
        for (int i = 0; i < indexes.Length; i++)
        {
            Read(indexes[i], batch, i);
        }

        return batch;
    }

    /// <summary>Copies an example into place <paramref name="row"/> of a batch.</summary>
    internal void Read(int index, ExampleBatch batch, int row) =>
        Read(
            index,
            batch.InputIds.AsSpan(row * SequenceLength, SequenceLength),
            out batch.Lengths[row],
            out batch.SecondSegmentStarts[row]
        );

    /// <summary>SHA-256 over the headers and hash tables of the shards in order, lower-case hex: stands for their content.</summary>
    internal string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ShardReader shard in shards)
        {
            hash.AppendData(shard.Header.ToBytes());
            hash.AppendData(shard.Table);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
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

    private int ShardOf(int index)
    {
        int found = Array.BinarySearch(ends, index + 1);
        return found < 0 ? ~found : found;
    }

    private void Add(string path, InputFolders? allowed)
    {
        var shard = new ShardReader(path, allowed);
        try
        {
            Header ??= shard.Header;
            Check(shard.Header, Header, path);
        }
        catch
        {
            shard.Dispose();
            throw;
        }

        if (shard.Header.Count == 0)
        {
            shard.Dispose();
            return;
        }

        shards.Add(shard);
        ends = [.. ends, checked(Count + shard.Header.Count)];
    }

    private static void Check(ShardHeader header, ShardHeader first, string path)
    {
        if (
            header.SequenceLength != first.SequenceLength
            || !header.Vocabulary.AsSpan().SequenceEqual(first.Vocabulary)
            || !header.Options.AsSpan().SequenceEqual(first.Options)
        )
        {
            throw new PermanentException(
                $"{path} was made with another vocabulary, sequence length or other options than the shards before it; tokenize again"
            );
        }
    }
}
