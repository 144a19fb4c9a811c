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

    [Fact]
    public void Draws_depend_on_seed_step_and_example_alone()
    {
        int[] first = DrawsOf(seed: 1, step: 9, example: 0);
        Assert.Equal(first, DrawsOf(seed: 1, step: 9, example: 0));
        Assert.NotEqual(first, DrawsOf(seed: 2, step: 9, example: 0));
        Assert.NotEqual(first, DrawsOf(seed: 1, step: 10, example: 0));
        Assert.NotEqual(first, DrawsOf(seed: 1, step: 9, example: 1));

        static int[] DrawsOf(ulong seed, long step, int example)
        {
            int[] positions = [.. Enumerable.Range(0, 40)];
            MaskedBatch batch = Batch([.. positions.Select(_ => 7)], positions) with { Examples = [example] };
            using var scope = NewDisposeScope();
            Tensor logits = tensor(Logits).view(1, -1).expand(positions.Length, -1).contiguous();
            Tensor tokens = new TokenReplacement(batch, seed, step, temperature: 1, disallowCorrect: false).Sample(
                logits,
                nn.functional.softmax(logits, -1),
                positions
            );
            return Array.ConvertAll(tokens.data<long>().ToArray(), token => (int)token);
        }
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
        AssertCorrupted(batch, [11, 50], [10, 11, 12, 50], [0, 0, 0, 1]);
    }

    [Fact]
    public void A_position_drawn_twice_gets_the_floored_mean_of_its_samples()
    {
        MaskedBatch batch = Batch([10, 11, 12, 13], [2, 2]);
        AssertCorrupted(batch, [20, 31], [10, 11, 25, 13], [0, 0, 1, 0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_device_draws_what_the_host_draws(bool disallowCorrect)
    {
        using var scope = NewDisposeScope();
        const int Vocabulary = 1_000;
        var random = new CounterRandom(3, 4);
        double[] uniforms = new double[400];
        float[] values = new float[uniforms.Length * Vocabulary];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.Next(3) == 0 ? 0 : (float)random.NextDouble(); // tokens that cannot be drawn among those that can
        }

        Array.ForEach([.. Enumerable.Range(0, uniforms.Length)], row => uniforms[row] = random.NextDouble());
        (uniforms[0], uniforms[1]) = (0, 1 - (1.0 / (1L << 53)));
        int[]? excluded = disallowCorrect
            ? [.. uniforms.Select((_, row) => row % 7 == 0 ? Vocabulary - 1 : random.Next(Vocabulary))]
            : null;
        long[] drawn = TokenReplacement.InvertOnDevice(tensor(values).view(-1, Vocabulary), uniforms, excluded).data<long>().ToArray();
        int different = drawn
            .Select(
                (token, row) =>
                    (int)token == TokenReplacement.Invert(values.AsSpan(row * Vocabulary, Vocabulary), uniforms[row], excluded?[row] ?? -1)
                        ? 0
                        : 1
            )
            .Sum();
        Assert.InRange(different, 0, 2); // the host adds in another order: a uniform that falls on a border may fall to the other side
        Assert.All(
            drawn.Select((token, row) => (token, row)),
            draw => Assert.True(values[(draw.row * Vocabulary) + draw.token] > 0 && draw.token != (excluded?[draw.row] ?? -1))
        );
    }

    private static void AssertCorrupted(MaskedBatch batch, long[] samples, long[] ids, float[] replaced)
    {
        using var scope = NewDisposeScope();
        CorruptedBatch corrupted = TokenReplacement.Corrupt(new DeviceBatch(batch, CPU), tensor(samples));
        Assert.Equal(ids, corrupted.Ids.data<long>().ToArray());
        Assert.Equal(replaced, corrupted.Replaced.data<float>().ToArray());
    }

    private static int[] Draw(double temperature, bool disallowCorrect)
    {
        using var scope = NewDisposeScope();
        int[] ids = [.. Enumerable.Repeat(2, Rows)];
        MaskedBatch batch = Batch(ids, [.. Enumerable.Range(0, Rows)]);
        var sampler = new TokenReplacement(batch, seed: 1, step: 2, temperature, disallowCorrect);
        Tensor logits = tensor(Logits).expand(Rows, Logits.Length).contiguous();
        Tensor samples = sampler.Sample(logits, nn.functional.softmax(logits, -1), [.. Enumerable.Range(0, Rows)]);
        return Array.ConvertAll(samples.data<long>().ToArray(), token => (int)token);
    }

    private static MaskedBatch Batch(int[] ids, int[] positions) =>
        new()
        {
            Length = ids.Length,
            OriginalIds = ids,
            MaskedIds = ids,
            Lengths = [ids.Length],
            SecondSegments = [ids.Length],
            Positions = positions,
            Examples = [0],
        };

    private static int[] Counts(int[] samples) =>
        [.. Enumerable.Range(0, Logits.Length).Select(token => samples.Count(sample => sample == token))];

    private static double[] Softmax(double temperature)
    {
        double[] weights = [.. Logits.Select(logit => Math.Exp(logit / temperature))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    private static double ChiSquared(int[] counts, double[] shares) =>
        counts
            .Zip(shares)
            .Where(pair => pair.Second > 0)
            .Sum(pair => Math.Pow(pair.First - (Rows * pair.Second), 2) / (Rows * pair.Second));
}
