namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>Resident memory over many steps: flat, or something is not given back.</summary>
internal static class TrainingStepMemory
{
    private const int Points = 20;

    public static void Print(TrainingStepSetting setting)
    {
        using var run = new TrainingStepRun(
            setting with
            {
                BatchSize = Math.Min(setting.BatchSize, 8),
                MicroBatchSize = 4,
            },
            SilentReporter.Instance
        );
        List<(long Step, double Megabytes)> points = [];
        Console.WriteLine(
            $"{setting.Model.Preset}, {setting.Steps} steps, {setting.Threads} threads, dropout {setting.Config().HiddenDropout}"
        );
        Console.WriteLine("| step | resident MB | managed heap MB |\n|--:|--:|--:|");
        for (int i = 0; i < Points; i++)
        {
            run.Train(Math.Max(1, setting.Steps / Points));
            points.Add((run.Trainer.Step, Environment.WorkingSet / (double)(1 << 20)));
            Console.WriteLine($"| {points[^1].Step} | {points[^1].Megabytes:F1} | {GC.GetTotalMemory(false) / (double)(1 << 20):F1} |");
        }

        double slope = Slope(points[(Points / 4)..]);
        Console.WriteLine($"slope over the last three quarters: {slope * 1_024:F2} kB a step");
    }

    /// <summary>Least squares.</summary>
    private static double Slope(List<(long Step, double Megabytes)> points)
    {
        double steps = points.Average(point => point.Step),
            megabytes = points.Average(point => point.Megabytes);
        double spread = points.Sum(point => (point.Step - steps) * (point.Step - steps));
        return points.Sum(point => (point.Step - steps) * (point.Megabytes - megabytes)) / spread;
    }
}
