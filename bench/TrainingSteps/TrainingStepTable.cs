using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>Prints rows as tables of Markdown.</summary>
internal static class TrainingStepTable
{
    private static readonly (StepPart Part, string Name)[] Parts =
    [
        (StepPart.Data, "data, masking"), (StepPart.Generator, "generator"), (StepPart.Sampling, "sampling"), (StepPart.Main, "discriminator"),
        (StepPart.Backward, "backward"), (StepPart.Optimizer, "optimizer"), (StepPart.Metrics, "metrics, logging"), (StepPart.Waiting, "waiting"),
    ];

    public static void Print(IReadOnlyList<TrainingStepRow> rows)
    {
        Console.WriteLine($"{Environment.ProcessorCount} processors, float32; parts in ms of the first thread's step, their shares below 1 % in brackets");
        Console.WriteLine(
            "| model, length | threads | batch x micro | dropout | ceiling GFLOP/s (shape) | tokens/s | ms a step | of the ceiling | by processor time | "
            + string.Join(" | ", Parts.Select(part => part.Name)) + " | resident (peak) MB |");
        Console.WriteLine("|---|--:|--:|--:|--:|--:|--:|--:|--:|" + string.Concat(Parts.Select(_ => "--:|")) + "--:|");
        foreach (TrainingStepRow row in rows)
        {
            TrainingStepSetting setting = row.Setting;
            double dropout = setting.Config().HiddenDropout;
            Console.WriteLine(
                $"| {setting.Model.Preset} ({row.Parameters / 1e6:F1} M), {setting.Length} | {setting.Threads} | {setting.BatchSize} x {setting.MicroBatchSize} | {dropout} | "
                + $"{row.Ceiling / 1e9:F0} ({row.CeilingShape}) | {row.TokensPerSecond:F0} | {row.Milliseconds:F0} | {row.Share:P0} | {row.ProcessorShare:P0} | "
                + string.Join(" | ", Parts.Select(part => Cell(row, part.Part))) + $" | {row.Resident:F0} ({row.PeakResident:F0}) |");
        }
    }

    private static string Cell(TrainingStepRow row, StepPart part)
    {
        double milliseconds = row.Parts[part.ToString()], share = milliseconds / row.Milliseconds;
        return share < 0.01 ? $"{milliseconds:F1} ({share:P2})" : $"{milliseconds:F0}";
    }
}
