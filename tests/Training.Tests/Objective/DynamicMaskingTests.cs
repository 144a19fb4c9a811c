using ElectraPipeline.Training.Objective;
using FsCheck.Xunit;
using Xunit;

namespace ElectraPipeline.Training.Tests.Objective;

public sealed class DynamicMaskingTests
{
    private const int Length = 64;
    private const int Vocabulary = 200;
    private static readonly SpecialIds Ids = new(Classifier: 2, Separator: 3, Mask: 4);

    // Worked out by hand from k = max(1, min(N, round(n p))), N = int((p + 0.005) L), halves rounded to even.
    [Theory]
    [InlineData(0.15, 128, 128, 19)]
    [InlineData(0.15, 128, 30, 4)]
    [InlineData(0.15, 128, 10, 2)]
    [InlineData(0.15, 128, 3, 1)]
    [InlineData(0.15, 64, 64, 9)]
    [InlineData(0.25, 512, 512, 128)]
    [InlineData(0.15, 512, 470, 70)]
    public void The_number_of_masked_tokens_is_the_official_one(double probability, int maxLength, int tokens, int expected) =>
        Assert.Equal(
            expected,
            new DynamicMasking(Ids, probability, new MaskShares(0.85), withReplacement: false).CountFor(tokens, maxLength)
        );

    [Property(MaxTest = 50)]
    public void Masked_positions_are_distinct_candidates_and_all_else_stays(uint seed, byte step)
    {
        (int[] ids, int[] lengths, int[] seconds) = Text(seed, 6);
        var masking = new DynamicMasking(Ids, 0.15, new MaskShares(0.85), withReplacement: false);
        MaskedBatch batch = masking.Mask(ids, lengths, seconds, seed, step);
        Assert.Equal(batch.Positions.Length, batch.Positions.Distinct().Count());
        for (int b = 0; b < lengths.Length; b++)
        {
            int[] own = [.. batch.Positions.Where(position => position / Length == b).Select(position => position % Length)];
            int candidates = ids.AsSpan(b * Length, lengths[b]).ToArray().Count(id => id is not (2 or 3 or 4));
            Assert.Equal(Math.Min(candidates, masking.CountFor(lengths[b], Length)), own.Length);
            Assert.All(own, position => Assert.True(position < lengths[b] && ids[(b * Length) + position] is not (2 or 3 or 4)));
        }

        HashSet<int> chosen = [.. batch.Positions];
        for (int i = 0; i < ids.Length; i++)
        {
            Assert.True(batch.MaskedIds[i] == ids[i] || (chosen.Contains(i) && batch.MaskedIds[i] == Ids.Mask));
        }
    }

    [Fact]
    public void The_shares_of_masked_and_kept_tokens_are_those_asked_for()
    {
        (int[] ids, int[] lengths, int[] seconds) = Text(1, 2_000, full: true);
        MaskedBatch batch = new DynamicMasking(Ids, 0.15, new MaskShares(0.85), withReplacement: false).Mask(ids, lengths, seconds, 5, 0);
        int hidden = batch.Positions.Count(position => batch.MaskedIds[position] == Ids.Mask);
        Assert.InRange(hidden / (double)batch.Positions.Length, 0.84, 0.86); // 18,000 draws: 3.7 standard deviations
    }

    [Fact]
    public void Every_candidate_is_equally_likely()
    {
        (int[] ids, _, _) = Text(1, 1, full: true);
        int[] lengths = [.. Enumerable.Repeat(Length, 4_000)];
        int[] many = [.. Enumerable.Repeat(ids, lengths.Length).SelectMany(text => text)];
        MaskedBatch batch = new DynamicMasking(Ids, 0.15, new MaskShares(0.85), withReplacement: false).Mask(many, lengths, lengths, 11, 3);
        int[] counts = new int[Length];
        foreach (int position in batch.Positions)
        {
            counts[position % Length]++;
        }

        int[] candidates = [.. Enumerable.Range(0, Length).Where(i => ids[i] is not (2 or 3 or 4)).Select(i => counts[i])];
        double expected = candidates.Average();
        double chiSquared = candidates.Sum(count => (count - expected) * (count - expected) / expected);
        Assert.InRange(chiSquared, 20, 110); // 61 degrees of freedom: 0.9999 quantile is 106
    }

    [Fact]
    public void With_replacement_positions_repeat_as_often_as_chance_says()
    {
        (int[] ids, int[] lengths, int[] seconds) = Text(1, 2_000, full: true);
        MaskedBatch batch = new DynamicMasking(Ids, 0.15, new MaskShares(0.85), withReplacement: true).Mask(ids, lengths, seconds, 5, 0);
        double repeated = 1 - (batch.Positions.Distinct().Count() / (double)batch.Positions.Length);
        double chance = 1 - (62 / 9.0 * (1 - Math.Pow(1 - (1 / 62.0), 9)));
        Assert.InRange(repeated, chance - 0.01, chance + 0.01);
    }

    [Fact]
    public void Draws_depend_on_seed_step_and_example_alone()
    {
        (int[] ids, int[] lengths, int[] seconds) = Text(1, 4);
        var masking = new DynamicMasking(Ids, 0.15, new MaskShares(0.85), withReplacement: false);
        Assert.Equal(masking.Mask(ids, lengths, seconds, 1, 9).Positions, masking.Mask(ids, lengths, seconds, 1, 9).Positions);
        Assert.NotEqual(masking.Mask(ids, lengths, seconds, 1, 9).Positions, masking.Mask(ids, lengths, seconds, 1, 10).Positions);
        Assert.NotEqual(masking.Mask(ids, lengths, seconds, 1, 9).Positions, masking.Mask(ids, lengths, seconds, 2, 9).Positions);
    }

    [Property(MaxTest = 30)]
    public void A_slice_holds_the_same_tokens_with_less_padding(uint seed)
    {
        (int[] ids, int[] lengths, int[] seconds) = Text(seed, 8);
        MaskedBatch whole = new DynamicMasking(Ids, 0.15, new MaskShares(0.85), withReplacement: false).Mask(
            ids,
            lengths,
            seconds,
            seed,
            0
        );
        MaskedBatch part = whole.Slice(3, 4);
        Assert.Equal((lengths[3..7].Max() + 7) / 8 * 8, part.Length);
        Assert.Equal(lengths[3..7].Sum(), part.Tokens);
        Assert.Equal([3, 4, 5, 6], part.Examples);
        int[] expected =
        [
            .. whole.Positions.Where(position => position / Length is >= 3 and < 7).Select(position => whole.OriginalIds[position]),
        ];
        Assert.Equal(expected, part.Labels());
    }

    private static (int[] Ids, int[] Lengths, int[] Seconds) Text(uint seed, int count, bool full = false)
    {
        var random = new CounterRandom(seed, 1);
        var ids = new int[count * Length];
        var lengths = new int[count];
        for (int b = 0; b < count; b++)
        {
            lengths[b] = full ? Length : 3 + random.Next(Length - 2);
            for (int i = 0; i < lengths[b]; i++)
            {
                ids[(b * Length) + i] = full ? 5 + random.Next(Vocabulary - 5) : 1 + random.Next(Vocabulary - 1);
            }

            ids[b * Length] = Ids.Classifier;
            ids[(b * Length) + lengths[b] - 1] = Ids.Separator;
        }

        return (ids, lengths, lengths);
    }
}
