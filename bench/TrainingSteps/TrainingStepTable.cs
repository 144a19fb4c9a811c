using ElectraPipeline.Training.Objective;

namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>Prints rows as Markdown, in two halves that a terminal of 120 columns holds: speed, and where the time goes.</summary>
internal static class TrainingStepTable
{
    private static readonly (StepPart Part, string Name)[] Parts =
    [
        (StepPart.Data, "data, masking"),
        (StepPart.Generator, "generator"),
        (StepPart.Sampling, "sampling"),
        (StepPart.Main, "discriminator"),
        (StepPart.Backward, "backward"),
        (StepPart.Optimizer, "optimizer"),
        (StepPart.Metrics, "metrics"),
        (StepPart.Waiting, "waiting"),
    ];

    public static void Print(IReadOnlyList<TrainingStepRow> rows)
    {
        Console.WriteLine($"{Environment.ProcessorCount} processors, float32. Sequences: length x batch / micro-batch, threads.");
        Console.WriteLine("Dropout: of states and attention. Ceiling: best product of the model's shapes, GFLOP/s, all threads at once.");
        Console.WriteLine("Share: what of it the step's products reach; CPU: the same by processor time, whatever else the machine does.");
        Console.WriteLine();
        Write(
            ["model", "sequences", "dropout", "ceiling (shape; 768 x 768 x 768)", "tokens/s", "share", "CPU", "MB (peak)"],
            [.. rows.Select(SpeedOf)]
        );
        Console.WriteLine();
        Console.WriteLine("Milliseconds of the first thread's step, and the share of each part in them:");
        Console.WriteLine();
        Write(["model", "sequences", "ms", .. Parts.Select(part => part.Name)], [.. rows.Select(PartsOf)]);
    }

    private static string[] SpeedOf(TrainingStepRow row) =>
        [
            $"{row.Setting.Model.Preset}, {row.Parameters / 1e6:F1} M",
            SequencesOf(row.Setting),
            $"{row.Setting.Config().HiddenDropout}",
            $"{row.Ceiling / 1e9:F0} ({row.CeilingShape}; {row.CeilingOf768 / 1e9:F0})",
            $"{row.TokensPerSecond:F0}",
            $"{100 * row.Share:F1} %",
            $"{100 * row.ProcessorShare:F1} %",
            $"{row.Resident:F0} ({row.PeakResident:F0})",
        ];

    private static string[] PartsOf(TrainingStepRow row) =>
        [
            row.Setting.Model.Preset,
            SequencesOf(row.Setting),
            $"{row.Milliseconds:F0}",
            .. Parts
                .Select(part => row.Parts[part.Part.ToString()] / row.Milliseconds)
                .Select(share => share < 0.01 ? $"{100 * share:F2} %" : $"{100 * share:F0} %"),
        ];

    private static string SequencesOf(TrainingStepSetting setting) =>
        $"{setting.Length} x {setting.BatchSize} / {setting.MicroBatchSize}, {setting.Threads}";

    /// <summary>Columns as wide as their widest cell; figures stand on the right.</summary>
    private static void Write(string[] head, string[][] rows)
    {
        int[] widths = [.. head.Select((name, column) => rows.Append(head).Max(row => row[column].Length))];
        Console.WriteLine(Line(head));
        Console.WriteLine(
            Line([.. widths.Select((width, column) => column < 2 ? new string('-', width) : new string('-', width - 1) + ":")])
        );
        foreach (string[] row in rows)
        {
            Console.WriteLine(Line(row));
        }

        string Line(string[] cells) => $"| {string.Join(" | ", cells.Select(Aligned))} |";

        string Aligned(string cell, int column) => column < 2 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]);
    }
}
