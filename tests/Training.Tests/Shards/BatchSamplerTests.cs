using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Shards;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>
/// The order of examples: every one once an epoch, the same for anybody who asks, mixed in the shares that were asked for.
/// </summary>
public sealed class BatchSamplerTests : IDisposable
{
    private const int BatchSize = 8;
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1_000)]
    [InlineData(65_537)]
    public void ThePermutationReachesEveryIndexOnce(int count)
    {
        var permutation = new Permutation(count, 11, 3);
        bool[] seen = new bool[count];
        for (int i = 0; i < count; i++)
        {
            Assert.False(seen[permutation[i]]);
            seen[permutation[i]] = true;
        }
    }

    /// <summary>Where 20 indexes go under 20,000 keys: a chi-square test of every target, and of the targets of neighbours.</summary>
    [Fact]
    public void ThePermutationIsEvenOverEpochs()
    {
        const int Count = 20,
            Epochs = 20_000;
        int[,] targets = new int[Count, Count];
        int[] distances = new int[Count];
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            var permutation = new Permutation(Count, 5, epoch);
            for (int i = 0; i < Count; i++)
            {
                targets[i, permutation[i]]++;
            }

            distances[(permutation[1] - permutation[0] + Count) % Count]++;
        }

        // 20 degrees of freedom: above 60 once in 100,000 tests.
        for (int i = 0; i < Count; i++)
        {
            Assert.InRange(Enumerable.Range(0, Count).Sum(target => ChiSquare(targets[i, target], Epochs / (double)Count)), 0, 60);
        }

        Assert.Equal(0, distances[0]);
        Assert.InRange(distances.Skip(1).Sum(found => ChiSquare(found, Epochs / (Count - 1.0))), 0, 60);
    }

    [Fact]
    public void AnEpochHasEveryExampleOnceAndAnotherEpochAnotherOrder()
    {
        using var set = ExampleSet.Open([ShardTesting.WriteNumbered(folder["set"], 96)], Split.Train);
        int[] Epoch(int number) =>
            [.. Enumerable.Range(12 * number, 12).SelectMany(step => Numbers(new BatchSampler(set, 5, BatchSize), step))];

        Assert.Equal(Enumerable.Range(0, 96), Epoch(0).Order());
        Assert.Equal(Enumerable.Range(0, 96), Epoch(1).Order());
        Assert.NotEqual(Epoch(0), Epoch(1));
        Assert.NotEqual(Epoch(0), [.. Enumerable.Range(0, 12).SelectMany(step => Numbers(new BatchSampler(set, 6, BatchSize), step))]);
    }

    /// <summary>
    /// 97 examples in batches of 8: epochs end inside batches. Threads ask in an order of their own, one sampler for all.
    /// </summary>
    [Fact]
    public void AStepsBatchDoesNotDependOnWhoAsksWhen()
    {
        string[] folders = [ShardTesting.WriteNumbered(folder["a"], 50), ShardTesting.WriteNumbered(folder["b"], 47, first: 50)];
        using var mixture = ExampleMixture.Open(folders, Mixture(0.5, (ShardTesting.WriteNumbered(folder["c"], 31, first: 1_000), 0.5)));
        var inTurn = new BatchSampler(mixture, 5, BatchSize);
        int[][] expected = [.. Enumerable.Range(0, 200).Select(step => Numbers(inTurn, step))];
        var shared = new BatchSampler(mixture, 5, BatchSize);
        int[][] actual = new int[200][];
        Parallel.For(
            0,
            200,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            i => actual[(i * 77) % 200] = Numbers(shared, (i * 77) % 200)
        );

        Assert.Equal(expected, actual);
        Assert.Equal(expected[123], Numbers(new BatchSampler(mixture, 5, BatchSize), 123));
    }

    [Fact]
    public void AMixtureMeetsItsSharesAndWalksThroughEachDataset()
    {
        using var mixture = ExampleMixture.Open(
            [ShardTesting.WriteNumbered(folder["own"], 1_000)],
            Mixture(
                1,
                (ShardTesting.WriteNumbered(folder["b"], 300, first: 10_000), 2),
                (ShardTesting.WriteNumbered(folder["c"], 7, first: 20_000), 0.001)
            )
        );
        var sampler = new BatchSampler(mixture, 9, BatchSize);
        int[] drawn = [.. Enumerable.Range(0, MixtureOrder.Period / BatchSize).SelectMany(step => Numbers(sampler, step))];
        int[] own = [.. drawn.Where(number => number < 10_000)];
        int[] second = [.. drawn.Where(number => number is >= 10_000 and < 20_000)];
        int[] third = [.. drawn.Where(number => number >= 20_000)];

        Assert.Equal((int[])MixtureOrder.Apportion([1, 2, 0.001]), (int[])[own.Length, second.Length, third.Length]);
        Assert.Equal(2.0, second.Length / (double)own.Length, 3);
        Assert.Equal(22, third.Length);

        // Whole epochs and one begun: no example is more than one draw ahead of another.
        foreach ((int[] source, int count) in new[] { (own, 1_000), (second, 300), (third, 7) })
        {
            int[] times = [.. source.GroupBy(number => number).Select(group => group.Count())];
            Assert.Equal(count, times.Length);
            Assert.InRange(times.Max() - times.Min(), 0, 1);
        }

        // Mixed at small scale too: a thousand draws hold two of the second for one of the first, within four standard deviations.
        Assert.All(
            drawn.Chunk(1_000).SkipLast(1),
            chunk => Assert.InRange(chunk.Count(number => number is >= 10_000 and < 20_000), 606, 727)
        );
    }

    [Theory]
    [InlineData(new[] { 1.0 }, new[] { 65_536 })]
    [InlineData(new[] { 1.0, 1.0, 1.0 }, new[] { 21_846, 21_845, 21_845 })]
    [InlineData(new[] { 1.0, 0.0, 3.0 }, new[] { 16_384, 0, 49_152 })]
    [InlineData(new[] { 1e-9, 1.0 }, new[] { 1, 65_535 })]
    public void SharesAreApportionedByLargestRemainder(double[] weights, int[] expected) =>
        Assert.Equal(expected, MixtureOrder.Apportion(weights));

    [Fact]
    public void DatasetsThatDoNotFitTogetherAreNamed()
    {
        string own = ShardTesting.WriteNumbered(folder["own"], 10);
        void Refused(string path, double weight, string named) =>
            Assert.Contains(named, Assert.Throws<PermanentException>(() => ExampleMixture.Open([own], Mixture(1, (path, weight)))).Message);

        Refused(ShardTesting.WriteNumbered(folder["long"], 10, sequenceLength: 16), 1, "have 16 tokens, the run's own 8");
        Refused(ShardTesting.WriteNumbered(folder["other"], 10, vocabulary: 9), 1, "another vocabulary");
        Refused(own, 0, "weight 0");
        Refused(own, double.NaN, "weight NaN");
        Refused(folder["absent"], 1, "absent");
        using var mixture = ExampleMixture.Open([own], Mixture(0, (ShardTesting.WriteNumbered(folder["empty"], 0), 1)));
        Assert.Contains("no training examples", Assert.Throws<PermanentException>(() => new BatchSampler(mixture, 1, 1)).Message);
        Assert.Contains("every weight is 0", Assert.Throws<PermanentException>(() => ExampleMixture.Open([own], Mixture(0))).Message);
    }

    [Fact]
    public void ADatasetsDigestIsThatOfItsExamples()
    {
        string a = ExampleMixture.DigestOf(new MixedDataset { Path = ShardTesting.WriteNumbered(folder["a"], 20) });
        string moved = ExampleMixture.DigestOf(new MixedDataset { Path = ShardTesting.WriteNumbered(folder["b"], 20) });
        string other = ExampleMixture.DigestOf(new MixedDataset { Path = ShardTesting.WriteNumbered(folder["c"], 20, first: 1) });
        Assert.Equal(a, moved);
        Assert.NotEqual(a, other);

        // What was looked at before is what is drawn from.
        string own = ShardTesting.WriteNumbered(folder["own"], 20);
        ExampleMixture.Open([own], Mixture(1, (folder["b"], 1)), [a]).Dispose();
        IOException changed = Assert.Throws<IOException>(() => ExampleMixture.Open([own], Mixture(1, (folder["c"], 1)), [a]));
        Assert.StartsWith($"{folder["c"]} changed while it was read", changed.Message);
    }

    private static MixtureOptions Mixture(double weight, params (string Path, double Weight)[] datasets) =>
        new()
        {
            Weight = weight,
            Datasets = [.. datasets.Select(dataset => new MixedDataset { Path = dataset.Path, Weight = dataset.Weight })],
        };

    private static int[] Numbers(BatchSampler sampler, long step)
    {
        ExampleBatch batch = sampler.Batch(step);
        return [.. Enumerable.Range(0, BatchSize).Select(i => batch.InputIds[i * batch.SequenceLength])];
    }

    private static double ChiSquare(int found, double expected) => (found - expected) * (found - expected) / expected;
}
