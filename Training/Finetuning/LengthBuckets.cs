using ElectraPipeline.Training.Finetuning.Tasks;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>
/// Which examples a step trains on: each epoch a new permutation, in which stretches of some batches are sorted by length so that a batch
/// holds little padding; the batches then come in random order. A pure function of (seed, step).
/// </summary>
internal sealed class LengthBuckets(IReadOnlyList<EncodedExample> examples, int batchSize, ulong seed)
{
    private const int BatchesSortedTogether = 16;
    private long plannedEpoch = -1;
    private int[][] plan = [];

    /// <summary>Steps in one pass over the examples; the last batch of a pass may be smaller.</summary>
    public int StepsPerEpoch { get; } = (examples.Count + batchSize - 1) / batchSize;

    /// <summary>The examples of a step.</summary>
    public EncodedExample[] Batch(long step)
    {
        long epoch = step / StepsPerEpoch;
        if (epoch != plannedEpoch)
        {
            plan = Plan(epoch);
            plannedEpoch = epoch;
        }

        return [.. plan[step % StepsPerEpoch].Select(index => examples[index])];
    }

    private int[][] Plan(long epoch)
    {
        CounterRandom random = new(RandomPurpose.SeedFor(seed, RandomPurpose.ExampleOrder), (ulong)epoch);
        int[] order = [.. Enumerable.Range(0, examples.Count)];
        Shuffle(order, ref random);
        int[][] batches =
        [
            .. order
                .Chunk(batchSize * BatchesSortedTogether)
                .SelectMany(stretch => stretch.OrderBy(index => examples[index].Ids.Length).Chunk(batchSize)),
        ];
        Shuffle(batches, ref random);
        return batches;
    }

    private static void Shuffle<T>(T[] items, ref CounterRandom random)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
