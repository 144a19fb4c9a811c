namespace ElectraPipeline.Training.Finetuning.Metrics;

/// <summary>How often each class was taken for each, and the figures of merit that follow from it (as scikit-learn defines them).</summary>
internal sealed class ConfusionMatrix
{
    private readonly long[,] counts;
    private readonly int classes;

    /// <summary>Counts pairs of a true class and a predicted one, both in [0, <paramref name="classes"/>).</summary>
    public ConfusionMatrix(int classes, IReadOnlyList<int> truth, IReadOnlyList<int> predicted)
    {
        if (truth.Count != predicted.Count)
        {
            throw new ArgumentException($"{truth.Count} labels and {predicted.Count} predictions", nameof(predicted));
        }

        this.classes = classes;
        counts = new long[classes, classes];
        for (int i = 0; i < truth.Count; i++)
        {
            counts[truth[i], predicted[i]]++;
        }

        Total = truth.Count;
    }

    /// <summary>Examples.</summary>
    public long Total { get; }

    /// <summary>Share of right predictions; 0 where there is no example.</summary>
    public double Accuracy => Ratio(Enumerable.Range(0, classes).Sum(Right), Total);

    /// <summary>F1 of all classes counted together; equal to accuracy where each example has one class.</summary>
    public double MicroF1 => Ratio(2.0 * Enumerable.Range(0, classes).Sum(Right), 2.0 * Total);

    /// <summary>Mean F1 of the classes that occur as truth or prediction.</summary>
    public double MacroF1 => Enumerable.Range(0, classes).Where(c => True(c) + Predicted(c) > 0).Select(F1).DefaultIfEmpty(0).Average();

    /// <summary>
    /// Matthews correlation of truth and prediction for any number of classes (Gorodkin 2004), in [-1, 1]; 0 where either is constant.
    /// </summary>
    public double Matthews
    {
        get
        {
            double total = Total;
            double right = Enumerable.Range(0, classes).Sum(Right);
            double joint = Enumerable.Range(0, classes).Sum(c => (double)True(c) * Predicted(c));
            double truthSpread = total * total - Enumerable.Range(0, classes).Sum(c => (double)True(c) * True(c));
            double predictedSpread = total * total - Enumerable.Range(0, classes).Sum(c => (double)Predicted(c) * Predicted(c));
            return Ratio(right * total - joint, Math.Sqrt(truthSpread * predictedSpread));
        }
    }

    /// <summary>Harmonic mean of precision and recall of one class; 0 where it neither occurs nor is predicted.</summary>
    public double F1(int label) => Ratio(2.0 * Right(label), True(label) + Predicted(label));

    private static double Ratio(double numerator, double denominator) => denominator == 0 ? 0 : numerator / denominator;

    private long Right(int label) => counts[label, label];

    private long True(int label) => Enumerable.Range(0, classes).Sum(other => counts[label, other]);

    private long Predicted(int label) => Enumerable.Range(0, classes).Sum(other => counts[other, label]);
}
