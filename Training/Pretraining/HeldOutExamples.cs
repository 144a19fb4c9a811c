using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>The held-out examples of an evaluation, always the same ones in the same batches.</summary>
internal static class HeldOutExamples
{
    /// <summary>An evaluator over the first examples in shard order; null where there are none.</summary>
    public static HeldOutEvaluator? Evaluator(
        ExampleSet set,
        EvaluateOptions evaluate,
        PretrainOptions pretrain,
        SpecialIds ids,
        int vocabularySize
    )
    {
        int count = evaluate.MaxExamples > 0 ? Math.Min(evaluate.MaxExamples, set.Count) : set.Count;
        if (count == 0)
        {
            return null;
        }

        IReadOnlyList<ExampleBatch> batches =
        [
            .. Enumerable
                .Range(0, (count + HeldOutEvaluator.BatchSize - 1) / HeldOutEvaluator.BatchSize)
                .Select(batch => batch * HeldOutEvaluator.BatchSize)
                .Select(start => set.Batch(start, Math.Min(HeldOutEvaluator.BatchSize, count - start))),
        ];
        return new HeldOutEvaluator(batches, pretrain.Masking(ids, vocabularySize), ids, pretrain, (ulong)evaluate.Seed);
    }
}
