namespace ElectraPipeline.Training.Pretraining;

/// <summary>
/// Logits and labels of replaced-token detection, and the measures over them. A token counts as detected where its logit is above 0.
/// </summary>
internal sealed class DetectionScores
{
    private readonly List<float> original = [];
    private readonly List<float> replaced = [];

    /// <summary>Share of tokens told apart correctly.</summary>
    public double Accuracy => Ratio(TruePositives + original.Count - FalsePositives, original.Count + replaced.Count);

    /// <summary>Share of replaced tokens among those detected; 0 if none is.</summary>
    public double Precision => Ratio(TruePositives, TruePositives + FalsePositives);

    /// <summary>Share of detected tokens among those replaced; 0 if none is.</summary>
    public double Recall => Ratio(TruePositives, replaced.Count);

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => Ratio(2 * TruePositives, TruePositives + FalsePositives + replaced.Count);

    private int TruePositives => replaced.Count(logit => logit > 0);

    private int FalsePositives => original.Count(logit => logit > 0);

    /// <summary>Adds one token.</summary>
    public void Add(float logit, bool isReplaced) => (isReplaced ? replaced : original).Add(logit);

    /// <summary>All tokens of several parts.</summary>
    public static DetectionScores Join(IEnumerable<DetectionScores> parts)
    {
        var joined = new DetectionScores();
        foreach (DetectionScores part in parts)
        {
            joined.original.AddRange(part.original);
            joined.replaced.AddRange(part.replaced);
        }

        return joined;
    }

    /// <summary>
    /// Probability that a replaced token has a higher logit than an original one, ties counting half (the Mann-Whitney statistic: the
    /// exact area under the ROC curve); 0.5 where either kind is missing.
    /// </summary>
    public double AreaUnderCurve()
    {
        if (original.Count == 0 || replaced.Count == 0)
        {
            return 0.5;
        }

        float[] negatives = [.. original],
            positives = [.. replaced];
        Array.Sort(negatives);
        Array.Sort(positives);
        double wins = 0;
        int below = 0,
            notAbove = 0;
        foreach (float positive in positives)
        {
            while (below < negatives.Length && negatives[below] < positive)
            {
                below++;
            }

            notAbove = Math.Max(notAbove, below);
            while (notAbove < negatives.Length && negatives[notAbove] <= positive)
            {
                notAbove++;
            }

            wins += below + (0.5 * (notAbove - below));
        }

        return wins / ((double)positives.Length * negatives.Length);
    }

    private static double Ratio(double part, double whole) => whole == 0 ? 0 : part / whole;
}
