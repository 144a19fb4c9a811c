using ElectraPipeline.Training.Objective;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Objective;

public sealed class TokenReplacementTests
{
    private const int Rows = 20_000;
    private static readonly float[] Logits = [0.5f, -1f, 2f, 0f, 1f, -3f, 0.2f, 1.5f];

    public TokenReplacementTests() => set_num_threads(1);

    [Theory]
    [InlineData(1.0)]
    [InlineData(0.5)]
    [InlineData(2.0)]
    public void Samples_have_the_softmax_distribution(double temperature)
    {
        double chiSquared = ChiSquared(Counts(Draw(temperature, disallowCorrect: false)), Softmax(temperature));
        Assert.InRange(chiSquared, 0.3, 29.9); // 7 degrees of freedom: 0.0001 and 0.9999 quantiles
    }

    [Fact]
    public void The_test_would_notice_greedy_choice()
    {
        int[] greedy = [.. Enumerable.Repeat(Array.IndexOf(Logits, Logits.Max()), Rows)];
        Assert.True(ChiSquared(Counts(greedy), Softmax(1)) > 1_000);
    }

    [Fact]
    public void Disallowing_the_correct_token_leaves_the_others_in_proportion()
    {
        int[] counts = Counts(Draw(1, disallowCorrect: true));
        Assert.Equal(0, counts[2]); // every row's original token
        double[] expected = Softmax(1);
        expected[2] = 0;
        double rest = expected.Sum();
        Assert.InRange(ChiSquared(counts, [.. expected.Select(share => share / rest)]), 0.1, 27.9);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.999999999999)]
    public void Extreme_uniforms_give_a_possible_token(double uniform)
    {
        var probabilities = new float[1_000];
        probabilities[17] = 0.25f;
        probabilities[400] = 0.75f;
        Assert.Equal(uniform == 0 ? 17 : 400, TokenReplacement.Invert(probabilities, uniform, excluded: -1));
        Assert.Equal(400, TokenReplacement.Invert(probabilities, uniform, excluded: 17));
        Assert.Equal(17, TokenReplacement.Invert(probabilities, uniform, excluded: 400));
    }

    [Fact]
    public void A_token_is_replaced_only_where_the_sample_differs()
    {
        MaskedBatch batch = Batch([10, 11, 12, 13], [1, 3]);
        CorruptedBatch corrupted = TokenReplacement.Corrupt(batch, [11, 50]);
        Assert.Equal([10, 11, 12, 50], corrupted.Ids);
        Assert.Equal([0f, 0f, 0f, 1f], corrupted.Replaced);
    }

    [Fact]
    public void A_position_drawn_twice_gets_the_floored_mean_of_its_samples()
    {
        MaskedBatch batch = Batch([10, 11, 12, 13], [2, 2]);
        CorruptedBatch corrupted = TokenReplacement.Corrupt(batch, [20, 31]);
        Assert.Equal([10, 11, 25, 13], corrupted.Ids);
        Assert.Equal([0f, 0f, 1f, 0f], corrupted.Replaced);
    }

    private static int[] Draw(double temperature, bool disallowCorrect)
    {
        using var scope = NewDisposeScope();
        int[] ids = [.. Enumerable.Repeat(2, Rows)];
        MaskedBatch batch = Batch(ids, [.. Enumerable.Range(0, Rows)]);
        var sampler = new TokenReplacement(batch, seed: 1, step: 2, temperature, disallowCorrect);
        Tensor logits = tensor(Logits).expand(Rows, Logits.Length).contiguous();
        var samples = new int[Rows];
        sampler.Sample(logits, nn.functional.softmax(logits, -1), 0, samples);
        return samples;
    }

    private static MaskedBatch Batch(int[] ids, int[] positions) => new()
    {
        Length = ids.Length,
        OriginalIds = ids,
        MaskedIds = ids,
        Lengths = [ids.Length],
        SecondSegments = [ids.Length],
        Positions = positions,
        Examples = [0],
    };

    private static int[] Counts(int[] samples) => [.. Enumerable.Range(0, Logits.Length).Select(token => samples.Count(sample => sample == token))];

    private static double[] Softmax(double temperature)
    {
        double[] weights = [.. Logits.Select(logit => Math.Exp(logit / temperature))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    private static double ChiSquared(int[] counts, double[] shares) => counts.Zip(shares)
        .Where(pair => pair.Second > 0)
        .Sum(pair => Math.Pow(pair.First - (Rows * pair.Second), 2) / (Rows * pair.Second));
}
