namespace ElectraPipeline.Training.Finetuning.Metrics;

/// <summary>Correlations of two lists of numbers, in [-1, 1]; 0 where either is constant.</summary>
internal static class Correlation
{
    /// <summary>Pearson's: how far one is a linear function of the other.</summary>
    public static double Pearson(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count != second.Count)
        {
            throw new ArgumentException($"{first.Count} and {second.Count} numbers", nameof(second));
        }

        double firstMean = first.DefaultIfEmpty(0).Average(),
            secondMean = second.DefaultIfEmpty(0).Average();
        double joint = 0,
            firstSpread = 0,
            secondSpread = 0;
        for (int i = 0; i < first.Count; i++)
        {
            double x = first[i] - firstMean,
                y = second[i] - secondMean;
            joint += x * y;
            firstSpread += x * x;
            secondSpread += y * y;
        }

        double spread = Math.Sqrt(firstSpread) * Math.Sqrt(secondSpread);
        return spread == 0 ? 0 : joint / spread;
    }

    /// <summary>Spearman's: Pearson's of the ranks; equal numbers share the mean of their ranks.</summary>
    public static double Spearman(IReadOnlyList<double> first, IReadOnlyList<double> second) => Pearson(Ranks(first), Ranks(second));

    private static double[] Ranks(IReadOnlyList<double> values)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        double[] ranks = new double[values.Count];
        for (int start = 0, end; start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && values[order[end]] == values[order[start]]; end++) { }

            foreach (int i in order.AsSpan(start, end - start))
            {
                ranks[i] = (start + end - 1) / 2.0;
            }
        }

        return ranks;
    }
}
