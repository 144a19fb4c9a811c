namespace ElectraPipeline.Training.Shards;

/// <summary>
/// The batch of a step, as a pure function: a new permutation of all examples each epoch, computed in O(1) memory, so that resuming at
/// any step costs nothing and the number of workers does not matter. Several datasets are mixed by weight, each with epochs of its own.
/// Safe for several threads.
/// </summary>
public sealed class BatchSampler
{
    private readonly ExampleSet[] sets;
    private readonly EpochOrder[] orders;
    private readonly MixtureOrder? mixture;
    private readonly int batchSize;

    /// <summary>Samples from a set.</summary>
    /// <exception cref="PermanentException">The set is empty.</exception>
    public BatchSampler(ExampleSet set, ulong seed, int batchSize)
        : this([(set, 1)], seed, batchSize) { }

    /// <summary>Samples from the sets of a mixture by their weights.</summary>
    /// <exception cref="PermanentException">One with a weight is empty.</exception>
    public BatchSampler(ExampleMixture mixture, ulong seed, int batchSize)
        : this(mixture.Sources, seed, batchSize) { }

    private BatchSampler(IEnumerable<(ExampleSet Set, double Weight)> sources, ulong seed, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        (ExampleSet Set, double Weight)[] drawn = [.. sources.Where(source => source.Weight > 0)];
        sets = [.. drawn.Select(source => source.Set)];
        if (Array.FindIndex(sets, set => set.Count == 0) is >= 0 and int empty)
        {
            throw new PermanentException(
                $"the shards {(sets.Length == 1 ? "" : $"of dataset {empty} of the mixture ")}hold no training examples; the corpus "
                    + "is too small, or all of it is held out"
            );
        }

        ulong shuffling = RandomPurpose.SeedFor(seed, RandomPurpose.ShardOrder);
        orders = [.. sets.Select((set, i) => new EpochOrder(set.Count, shuffling + (ulong)i))];
        mixture =
            sets.Length == 1
                ? null
                : new MixtureOrder([.. drawn.Select(source => source.Weight)], RandomPurpose.SeedFor(seed, RandomPurpose.Mixture));
        this.batchSize = batchSize;
    }

    /// <summary>The examples of a step, counted from 0; batches go on over the end of an epoch.</summary>
    public ExampleBatch Batch(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return Examples(checked(step * batchSize), batchSize);
    }

    /// <summary>Examples by their place in the order they are drawn in, from <paramref name="first"/> on.</summary>
    public ExampleBatch Examples(long first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        var batch = ExampleBatch.Uninitialized(count, sets[0].SequenceLength);
        for (int i = 0; i < count; i++)
        {
            (int source, long draw) = mixture?[first + i] ?? (0, first + i);
            sets[source].Read(orders[source][draw], batch, i);
        }

        return batch;
    }
}
