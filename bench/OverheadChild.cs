using System.Diagnostics;
using ElectraPipeline.Jobs;
using ElectraPipeline.Jobs.Child;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench;

/// <summary>Seconds on the clock, and of this process's threads on the processors.</summary>
internal readonly record struct Took(double Wall, double Processor)
{
    public static Took Of(Action work)
    {
        TimeSpan used = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        work();
        return new Took(watch.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
    }
}

/// <summary>What one child took.</summary>
/// <param name="Before">The bare loop before the stage's work.</param>
/// <param name="Stage">The stage's work, as the worker asked for it.</param>
/// <param name="After">The bare loop after it.</param>
/// <param name="Other">Seconds of the warm-up: what the measurement itself added to the stage beside the two loops.</param>
internal sealed record OverheadTimes(Took Before, Took Stage, Took After, double Other)
{
    /// <summary>The stage's work as a multiple of the bare loops around it; a drift of the machine falls out of their mean.</summary>
    public double Ratio => 2 * Stage.Wall / (Before.Wall + After.Wall);

    /// <summary>The same of processor seconds, which other programs on the machine disturb less.</summary>
    public double ProcessorRatio => 2 * Stage.Processor / (Before.Processor + After.Processor);
}

/// <summary>
/// A training child that does its order's steps three times in one process: in a bare loop, as the stage it is, and in a bare loop again.
/// Its worker meanwhile renews the lease, stores curves and publishes checkpoints as always.
/// </summary>
internal static class OverheadChild
{
    /// <summary>The variable that names the file for the times.</summary>
    public const string Variable = "ELECTRA_BENCH_OVERHEAD";

    private const int WarmUpSteps = 10;

    public static bool IsAsked => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    public static int Run(string orderFile)
    {
        var request = CanonicalJson.Read<PretrainRequest>(CanonicalJson.Read<StageOrder>(File.ReadAllText(orderFile)).Request);
        Took warmUp = Took.Of(() => Bare(request, WarmUpSteps));
        Took before = Took.Of(() => Bare(request, request.Pretrain.Steps));
        int exitCode = 0;
        Took stage = Took.Of(() => exitCode = StageProcess.Main(orderFile));
        Took after = Took.Of(() => Bare(request, request.Pretrain.Steps));
        File.WriteAllText(
            Environment.GetEnvironmentVariable(Variable)!,
            CanonicalJson.Write(new OverheadTimes(before, stage, after, warmUp.Wall))
        );
        return exitCode;
    }

    /// <summary>Shards, model, optimizer, steps: nothing else.</summary>
    private static void Bare(PretrainRequest request, int steps)
    {
        PretrainOptions options = request.Pretrain;
        (Vocabulary vocabulary, _) = VocabularyStore.Read(request.VocabularyFolder);
        ElectraConfig config = request.Model.Resolve(vocabulary.Count, PretrainingObjectives.PartsOf(options.Objective));
        using ExampleMixture train = ExampleMixture.Open(request.ShardFolders, request.Mixture);
        using var trainer = new Pretrainer(
            config,
            options,
            PretrainProgram.IdsOf(vocabulary),
            request.Seed,
            TorchDevice.Resolve(options.Device)
        );
        var sampler = new BatchSampler(train, request.Seed, options.BatchSize);
        while (trainer.Step < steps)
        {
            trainer.Train(sampler.Examples(trainer.Step * options.BatchSize, options.BatchSize));
        }
    }
}
