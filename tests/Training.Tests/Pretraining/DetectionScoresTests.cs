using ElectraPipeline.Training.Pretraining;
using FsCheck.Xunit;
using Xunit;

namespace ElectraPipeline.Training.Tests.Pretraining;

public sealed class DetectionScoresTests
{
    [Property(MaxTest = 100)]
    public void The_area_is_the_share_of_pairs_in_order(uint seed)
    {
        var random = new CounterRandom(seed, 0);
        DetectionScores scores = new();
        List<float> original = [],
            replaced = [];
        for (int i = 0; i < 40; i++)
        {
            float logit = random.Next(10) - 5; // few values, so that ties occur
            bool isReplaced = random.Next(3) == 0;
            scores.Add(logit, isReplaced);
            (isReplaced ? replaced : original).Add(logit);
        }

        double[] pairs =
        [
            .. replaced.SelectMany(r =>
                original.Select(o =>
                    r > o ? 1
                    : r == o ? 0.5
                    : 0
                )
            ),
        ];
        Assert.Equal(pairs.Length == 0 ? 0.5 : pairs.Average(), scores.AreaUnderCurve(), 1e-12);
    }

    [Fact]
    public void Measures_follow_from_the_counts()
    {
        DetectionScores scores = new();
        foreach (
            (float logit, bool replaced) in new[]
            {
                (1f, true),
                (2f, true),
                (-1f, true),
                (3f, false),
                (-2f, false),
                (-3f, false),
                (-4f, false),
            }
        )
        {
            scores.Add(logit, replaced);
        }

        Assert.Equal(5 / 7.0, scores.Accuracy, 1e-12);
        Assert.Equal(2 / 3.0, scores.Precision, 1e-12);
        Assert.Equal(2 / 3.0, scores.Recall, 1e-12);
        Assert.Equal(2 / 3.0, scores.F1, 1e-12);
    }
}
