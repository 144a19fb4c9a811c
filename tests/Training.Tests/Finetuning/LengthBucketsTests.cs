using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Optimization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class LengthBucketsTests
{
    private static readonly EncodedExample[] Examples =
    [
        .. Enumerable.Range(0, 1_003).Select(i => new ClassExample(new int[2 + ((i * 37) % 61)], 0, false, i)),
    ];

    [Fact]
    public void Every_epoch_is_a_permutation_of_its_own()
    {
        LengthBuckets buckets = new(Examples, batchSize: 32, seed: 5);
        Assert.Equal(32, buckets.StepsPerEpoch);
        int[] first = Epoch(buckets, 0),
            second = Epoch(buckets, 1);
        Assert.Equal(Enumerable.Range(0, Examples.Length), first.Order());
        Assert.Equal(Enumerable.Range(0, Examples.Length), second.Order());
        Assert.NotEqual(first, second);
        Assert.NotEqual(first, Epoch(new LengthBuckets(Examples, 32, seed: 6), 0));
    }

    [Fact]
    public void A_batch_is_a_function_of_the_step()
    {
        LengthBuckets buckets = new(Examples, 32, seed: 5);
        EncodedExample[] late = buckets.Batch(77);
        _ = buckets.Batch(3);
        Assert.Equal(late, buckets.Batch(77));
        Assert.Equal(late, new LengthBuckets(Examples, 32, seed: 5).Batch(77));
    }

    [Fact]
    public void Batches_hold_little_padding()
    {
        LengthBuckets buckets = new(Examples, 32, seed: 5);
        double computed = Enumerable
            .Range(0, buckets.StepsPerEpoch)
            .Select(step => buckets.Batch(step))
            .Sum(batch => batch.Length * batch.Max(example => example.Ids.Length));
        double real = Examples.Sum(example => example.Ids.Length);
        Assert.InRange(computed / real, 1, 1.1); // unsorted batches of these lengths: 1.9
    }

    [Theory]
    [InlineData(false, 1, 0.64, 0.0550, 0.0440)]
    [InlineData(true, 1, 0.8, 0.0687, 0.0550)]
    public void Layerwise_rates_are_the_official_ones(bool fixedDepth, double head, double top, double bottom, double embeddings)
    {
        Func<string, double> rates = LayerwiseLearningRates.For(layers: 12, decay: 0.8, fixedDepth);
        Assert.Equal(head, rates("classifier.out_proj.weight"), 4);
        Assert.Equal(top, rates("electra.encoder.layer.11.output.dense.weight"), 4);
        Assert.Equal(bottom, rates("electra.encoder.layer.0.attention.self.query.bias"), 4);
        Assert.Equal(embeddings, rates("electra.embeddings.LayerNorm.weight"), 4);
        Assert.Equal(embeddings, rates("electra.embeddings_project.weight"), 4);
    }

    private static int[] Epoch(LengthBuckets buckets, int epoch) =>
        [
            .. Enumerable
                .Range(0, buckets.StepsPerEpoch)
                .SelectMany(step => buckets.Batch((epoch * buckets.StepsPerEpoch) + step))
                .Select(example => ((ClassExample)example).Label),
        ];
}
