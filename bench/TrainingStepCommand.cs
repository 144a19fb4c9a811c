using System.CommandLine;
using System.Diagnostics;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using static TorchSharp.torch;

namespace ElectraPipeline.Bench;

/// <summary>Measures pre-training steps against what the same threads reach in plain matrix products, in the same process.</summary>
internal static class TrainingStepCommand
{
    public static Command Create()
    {
        var preset = new Option<string>("--preset") { DefaultValueFactory = _ => "tiny", Description = "tiny, small, base or large" };
        var vocabulary = new Option<int>("--vocabulary") { DefaultValueFactory = _ => 4_000, Description = "tokens" };
        var length = new Option<int>("--length") { DefaultValueFactory = _ => 64, Description = "tokens a sequence" };
        var batch = new Option<int>("--batch") { DefaultValueFactory = _ => 64, Description = "sequences a step" };
        var micro = new Option<int>("--micro-batch") { DefaultValueFactory = _ => 16, Description = "sequences at once" };
        var replicas = new Option<int>("--replicas") { DefaultValueFactory = _ => 2, Description = "threads" };
        var dropout = new Option<double?>("--dropout") { Description = "hidden dropout; default: the preset's" };
        var seconds = new Option<double>("--seconds") { DefaultValueFactory = _ => 10, Description = "how long to measure" };
        var command = new Command("training-step", "Tokens/s of pre-training steps and their share of the matrix-product ceiling")
        {
            preset, vocabulary, length, batch, micro, replicas, dropout, seconds,
        };
        command.SetAction(parsed =>
        {
            ElectraConfig config = new ModelOptions
            {
                Preset = parsed.GetRequiredValue(preset),
                HiddenDropout = parsed.GetValue(dropout),
                AttentionDropout = parsed.GetValue(dropout) == 0 ? 0 : null,
            }.Resolve(parsed.GetRequiredValue(vocabulary));
            PretrainOptions options = new()
            {
                BatchSize = parsed.GetRequiredValue(batch),
                MicroBatchSize = parsed.GetRequiredValue(micro),
                Replicas = parsed.GetRequiredValue(replicas),
            };
            Measure(config, options, parsed.GetRequiredValue(length), parsed.GetRequiredValue(seconds));
        });
        return command;
    }

    private static void Measure(ElectraConfig config, PretrainOptions options, int length, double seconds)
    {
        using var trainer = new Pretrainer(config, options, new SpecialIds(2, 3, 4), seed: 1, CPU);
        ExampleBatch Batch(long step) => RandomText(config.VocabularySize, options.BatchSize, length, step);
        double ceiling = MatrixProductCeiling(trainer.Threads);
        for (int i = 0; i < 3; i++)
        {
            trainer.Train(Batch(i));
        }

        var watch = Stopwatch.StartNew();
        long tokens = 0, steps = 0;
        double flops = 0;
        while (watch.Elapsed.TotalSeconds < seconds)
        {
            ObjectiveSums sums = trainer.Train(Batch(trainer.Step)).Sums;
            tokens += sums.Tokens;
            flops += TrainingCompute.OfStep(config, options.BatchSize, length, sums.Masked);
            steps++;
        }

        double elapsed = watch.Elapsed.TotalSeconds;
        ceiling = Math.Max(ceiling, MatrixProductCeiling(trainer.Threads));
        long parameters = trainer.Model.Parameters.Layout.Slots.Sum(slot => slot.Length);
        Console.WriteLine($"parameters {parameters:N0}, vocabulary {config.VocabularySize}, {options.BatchSize} x {length} tokens a step, "
            + $"micro-batch {options.MicroBatchSize}, replicas {options.Replicas}, dropout {config.HiddenDropout}/{config.AttentionDropout}");
        Console.WriteLine($"matrix products      {ceiling / 1e9,8:F0} GFLOP/s on {options.Replicas} threads");
        Console.WriteLine($"training             {tokens / elapsed,8:F0} tokens/s, {1_000 * elapsed / steps:F1} ms a step");
        Console.WriteLine($"                     {flops / elapsed / 1e9,8:F0} GFLOP/s, {100 * flops / elapsed / ceiling:F0} % of the matrix products");
        TrainingStepParts.Print(trainer, options, Batch(trainer.Step));
    }

    /// <summary>Best of several rounds of 768 x 768 products, all threads at once.</summary>
    private static double MatrixProductCeiling(ReplicaThreads threads)
    {
        const int Size = 768, Products = 20;
        double best = 0;
        for (int round = 0; round < 5; round++)
        {
            var watch = Stopwatch.StartNew();
            threads.Run(_ =>
            {
                using var scope = NewDisposeScope();
                Tensor a = ones(Size, Size), b = ones(Size, Size);
                for (int i = 0; i < Products; i++)
                {
                    a.mm(b).Dispose();
                }
            });
            best = Math.Max(best, threads.Count * Products * 2.0 * Size * Size * Size / watch.Elapsed.TotalSeconds);
        }

        return best;
    }

    private static ExampleBatch RandomText(int vocabulary, int batch, int length, long step)
    {
        var ids = new int[batch * length];
        var random = new CounterRandom(1, (ulong)step);
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = i % length == 0 ? 2 : i % length == length - 1 ? 3 : 5 + random.Next(vocabulary - 5);
        }

        int[] lengths = [.. Enumerable.Repeat(length, batch)];
        return new ExampleBatch(ids, lengths, lengths, batch, length);
    }
}
