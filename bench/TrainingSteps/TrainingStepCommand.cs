using System.CommandLine;
using System.Diagnostics;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Child;
using ElectraPipeline.Training.Model;

namespace ElectraPipeline.Bench.TrainingSteps;

/// <summary>Measures pre-training steps against what the same threads reach in plain matrix products, in the same process.</summary>
internal static class TrainingStepCommand
{
    /// <summary>Marks the line that a row's process answers with, among the reports of its training.</summary>
    private const string AnswerMark = "row ";

    private static readonly Option<string[]> Presets = Several<string>("--preset", "tiny, small, base or large; repeatable");
    private static readonly Option<int[]> Lengths = Several<int>("--length", "tokens a sequence; repeatable");
    private static readonly Option<int[]> ThreadCounts = Several<int>("--threads", "replicas of one thread each; repeatable");
    private static readonly Option<double[]> Dropouts = Several<double>(
        "--dropout",
        "of hidden states and attention; repeatable; default: the preset's"
    );
    private static readonly Option<int> Vocabulary = new("--vocabulary") { DefaultValueFactory = _ => 30_522, Description = "tokens" };
    private static readonly Option<int?> Batch = new("--batch") { Description = "sequences a step; default: few, as only speed is asked" };
    private static readonly Option<int?> MicroBatch = new("--micro-batch")
    {
        Description = "sequences at once; default: half a batch, at most 16",
    };

    private static readonly Option<double> Seconds = new("--seconds")
    {
        DefaultValueFactory = _ => 20,
        Description = "how long to measure a row",
    };

    private static readonly Option<bool> Memory = new("--memory") { Description = "watch the resident memory over many steps instead" };
    private static readonly Option<int> Steps = new("--steps") { DefaultValueFactory = _ => 2_000, Description = "steps of --memory" };
    private static readonly Option<string?> Row = new("--row") { Description = "one row as JSON, measured in this process", Hidden = true };

    public static Command Create()
    {
        var command = new Command(
            "training-step",
            "A table of pre-training steps: tokens/s, their share of the matrix-product ceiling, time by part, memory"
        )
        {
            Presets,
            Lengths,
            ThreadCounts,
            Dropouts,
            Vocabulary,
            Batch,
            MicroBatch,
            Seconds,
            Memory,
            Steps,
            Row,
        };
        command.SetAction(parsed =>
        {
            TrainingStepSetting? row = parsed.GetValue(Row) is { } json ? CanonicalJson.Read<TrainingStepSetting>(json) : null;
            if (parsed.GetValue(Memory))
            {
                if (row is null)
                {
                    RunAlone(Settings(parsed, "tiny").First() with { Steps = parsed.GetValue(Steps) }, Console.WriteLine, Memory.Name);
                }
                else
                {
                    TrainingStepMemory.Print(row);
                }
            }
            else if (row is not null)
            {
                Console.WriteLine(AnswerMark + CanonicalJson.Write(TrainingStepRow.Measure(row)));
            }
            else
            {
                TrainingStepTable.Print([.. Settings(parsed, "small", "base").Select(MeasureAlone)]);
            }
        });
        return command;
    }

    /// <summary>The rows asked for; where none are, the whole table.</summary>
    private static IEnumerable<TrainingStepSetting> Settings(ParseResult parsed, params string[] presets)
    {
        bool whole =
            parsed.GetValue(Presets) is []
            && parsed.GetValue(Lengths) is []
            && parsed.GetValue(ThreadCounts) is []
            && parsed.GetValue(Dropouts) is [];
        int[] lengths = presets is ["tiny"] ? [64] : [128, 512];
        int[] threads = presets is ["tiny"] ? [2] : [1, 2];
        double?[] dropouts = [.. parsed.GetValue(Dropouts)!.Select(rate => (double?)rate)];
        IEnumerable<TrainingStepSetting> rows =
            from preset in Given(parsed.GetValue(Presets)!, presets)
            from length in Given(parsed.GetValue(Lengths)!, lengths)
            from count in Given(parsed.GetValue(ThreadCounts)!, threads)
            from dropout in Given(dropouts, [null])
            select Setting(parsed, preset, length, count, dropout);
        return whole && presets.Contains("small") ? rows.Append(Setting(parsed, "small", 128, 2, 0)) : rows;
    }

    private static T[] Given<T>(T[] given, T[] otherwise) => given is [] ? otherwise : given;

    private static TrainingStepSetting Setting(ParseResult parsed, string preset, int length, int threads, double? dropout)
    {
        // Enough products of full size for each thread; a wide model's step takes seconds even so.
        int tokens = preset is "tiny" or "small" ? 4_096 : 1_024;
        int batch = parsed.GetValue(Batch) ?? Math.Max(2, tokens / length);
        return new TrainingStepSetting
        {
            Model = new ModelOptions
            {
                Preset = preset,
                HiddenDropout = dropout,
                AttentionDropout = dropout,
            },
            Vocabulary = parsed.GetValue(Vocabulary),
            Length = length,
            Threads = threads,
            BatchSize = batch,
            MicroBatchSize = parsed.GetValue(MicroBatch) ?? Math.Min(16, (batch + 1) / 2),
            Seconds = parsed.GetValue(Seconds),
        };
    }

    private static TrainingStepRow MeasureAlone(TrainingStepSetting setting)
    {
        string? answer = null;
        RunAlone(setting, line => answer = line.StartsWith(AnswerMark, StringComparison.Ordinal) ? line[AnswerMark.Length..] : answer);
        return CanonicalJson.Read<TrainingStepRow>(
            answer ?? throw new InvalidOperationException($"the process of {setting.Name} ended without figures")
        );
    }

    /// <summary>In a process of its own, started as a worker starts its training process: no row leaves memory to the next one.</summary>
    private static void RunAlone(TrainingStepSetting setting, Action<string> onLine, params string[] options)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(TrainingStepCommand).Assembly.Location);
        }

        string[] arguments = ["training-step", Row.Name, CanonicalJson.Write(setting), .. options];
        Array.ForEach(arguments, start.ArgumentList.Add);
        TorchProcess.Prepare(start);
        using var process = Process.Start(start)!;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            onLine(line);
        }

        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"the process of {setting.Name} ended with exit code {process.ExitCode}");
        }
    }

    private static Option<T[]> Several<T>(string name, string description) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => [],
            AllowMultipleArgumentsPerToken = true,
        };
}
