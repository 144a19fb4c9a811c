using System.Diagnostics;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Optimization;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using static TorchSharp.torch;

namespace ElectraPipeline.Bench;

/// <summary>Where one thread's time goes: each part of a micro-batch's step alone, mean of repeated runs.</summary>
internal static class TrainingStepParts
{
    private const int Repeats = 20;
    private static readonly string[] Names =
        ["masking", "generator forward", "head, loss, sampling", "generator backward", "discriminator forward", "discriminator backward", "optimizer"];

    public static void Print(Pretrainer trainer, PretrainOptions options, ExampleBatch batch)
    {
        var totals = new double[Names.Length];
        using var optimizer = new AdamW(
            [trainer.Model.Parameters], ParameterGroup.For(trainer.Model.Parameters.Layout, 0), new AdamOptions());
        for (int i = -3; i < Repeats; i++)
        {
            using var scope = NewDisposeScope();
            double[] parts = Run(trainer.Model, optimizer, options, batch);
            for (int part = 0; i >= 0 && part < parts.Length; part++)
            {
                totals[part] += parts[part] / Repeats;
            }
        }

        Console.WriteLine($"one thread, one micro-batch, {totals.Sum():F1} ms:");
        foreach ((string name, double milliseconds) in Names.Zip(totals))
        {
            Console.WriteLine($"  {name,-24} {milliseconds,8:F2} ms");
        }
    }

    private static double[] Run(ElectraPretrainingModel model, AdamW optimizer, PretrainOptions options, ExampleBatch batch)
    {
        List<double> times = [];
        var watch = Stopwatch.StartNew();
        DynamicMasking masking = options.Masking(new SpecialIds(2, 3, 4), model.Config.VocabularySize);
        MaskedBatch masked = masking.Mask(batch.InputIds, batch.Lengths, batch.SecondSegmentStarts, 1, 1)
            .Slice(0, Math.Min(options.MicroBatchSize, batch.BatchSize));
        EncoderInput input = EncoderInput.Create(masked.MaskedIds, masked.Lengths, masked.SecondSegments, CPU);
        Lap();
        var dropout = new DropoutStream(1, 1, 1);
        Tensor positions = tensor(Array.ConvertAll(masked.Positions, position => (long)position));
        Tensor hidden = model.Generator.Forward(input, dropout);
        Tensor transformed = model.GeneratorHead.Transform(hidden.index_select(0, positions));
        Lap();
        LanguageModelLoss loss = LanguageModelLoss.Compute(
            model.GeneratorHead, transformed, masked.Labels(), 1e-3, new TokenReplacement(masked, 1, 1, 1, false), rows: null, out Tensor? gradient);
        CorruptedBatch corrupted = TokenReplacement.Corrupt(masked, loss.Samples);
        Lap();
        transformed.backward([gradient!]);
        Lap();
        Tensor logits = model.DetectionHead.Forward(model.Main.Forward(input.WithIds(corrupted.Ids), dropout));
        Tensor detection = nn.functional.binary_cross_entropy_with_logits(logits, tensor(corrupted.Replaced), reduction: nn.Reduction.Sum) * 1e-2;
        Lap();
        detection.backward();
        Lap();
        optimizer.Step(0, optimizer.Reduce(Sequentially), Sequentially);
        Lap();
        return [.. times];

        void Lap()
        {
            times.Add(watch.Elapsed.TotalMilliseconds);
            watch.Restart();
        }
    }

    private static void Sequentially(int count, Action<int> work)
    {
        for (int i = 0; i < count; i++)
        {
            work(i);
        }
    }
}
