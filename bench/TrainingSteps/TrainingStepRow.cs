using System.Diagnostics;
using ElectraPipeline.Jobs.Child;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using static TorchSharp.torch;

namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>What one setting came to.</summary>
internal sealed record TrainingStepRow
{
    private const int WarmUpSteps = 2;
    private const int CeilingRounds = 4;
    private const double Mega = 1 << 20;

    public required TrainingStepSetting Setting { get; init; }

    public required long Parameters { get; init; }

    /// <summary>Floating-point operations a second of the fastest product, all threads at once.</summary>
    public required double Ceiling { get; init; }

    /// <summary>The shape that reached it.</summary>
    public required string CeilingShape { get; init; }

    /// <summary>The same for 768 x 768 x 768 alone.</summary>
    public required double CeilingOf768 { get; init; }

    public required int Steps { get; init; }

    public required double Milliseconds { get; init; }

    public required double TokensPerSecond { get; init; }

    /// <summary>Operations of the step's products a second, of <see cref="Ceiling"/>.</summary>
    public required double Share { get; init; }

    /// <summary>The same by processor time: what other programs took is in neither.</summary>
    public required double ProcessorShare { get; init; }

    /// <summary>Milliseconds a step of each <see cref="StepPart"/>, as the first replica's thread spends them.</summary>
    public required Dictionary<string, double> Parts { get; init; }

    /// <summary>After the steps, MB.</summary>
    public required double Resident { get; init; }

    /// <summary>At most, MB.</summary>
    public required double PeakResident { get; init; }

    public static TrainingStepRow Measure(TrainingStepSetting setting)
    {
        using var run = new TrainingStepRun(setting, new ChildReporter());
        long rows = (long)run.Trainer.MicroBatchSizeOf(setting.BatchSize, 0) * setting.Length;
        var products = new MatrixProductCeiling(setting.Config(), rows, run.Trainer.Threads, CPU);
        products.Measure(CeilingRounds, TimeSpan.MaxValue);
        double byProcessor = products.MeasureByProcessor();
        var watch = Stopwatch.StartNew();
        run.Train(WarmUpSteps);
        int steps = Math.Max(2, (int)Math.Ceiling(setting.Seconds / (watch.Elapsed.TotalSeconds / WarmUpSteps)));
        long first = run.Trainer.Step;
        run.Trainer.Clock.Reset();
        TimeSpan used = Environment.CpuUsage.TotalTime;
        watch.Restart();
        run.Train(steps);
        double elapsed = watch.Elapsed.TotalSeconds,
            processor = (Environment.CpuUsage.TotalTime - used).TotalSeconds;
        Dictionary<string, double> parts = Enum.GetValues<StepPart>()
            .ToDictionary(part => part.ToString(), part => run.Trainer.Clock[part].TotalMilliseconds / steps);
        double resident = Environment.WorkingSet / Mega;
        using var process = Process.GetCurrentProcess();
        double peak = process.PeakWorkingSet64 / Mega;
        products.Measure(CeilingRounds, TimeSpan.MaxValue); // neighbours may have slowed the first
        ElectraConfig config = run.Trainer.Model.Config;
        double operations = Enumerable
            .Range(0, steps)
            .Sum(i => TrainingCompute.OfStep(config, setting.BatchSize, setting.Length, run.Masked(first + i)));
        return new TrainingStepRow
        {
            Setting = setting,
            Parameters = run.Trainer.Model.Parameters.Layout.Slots.Sum(slot => slot.Length),
            Ceiling = products.Best,
            CeilingShape = products.BestShape,
            CeilingOf768 = products.BestOf768,
            Steps = steps,
            Milliseconds = 1_000 * elapsed / steps,
            TokensPerSecond = steps * (double)setting.BatchSize * setting.Length / elapsed,
            Share = operations / elapsed / products.Best,
            ProcessorShare = setting.Threads * operations / processor / Math.Max(byProcessor, products.MeasureByProcessor()),
            Parts = parts,
            Resident = resident,
            PeakResident = peak,
        };
    }
}
