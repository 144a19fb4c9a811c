using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>The held-out examples of an evaluation, always the same ones in the same batches.</summary>
internal static class HeldOutExamples
{
    /// <summary>An evaluator over the first examples in shard order; null where there are none.</summary>
    public static HeldOutEvaluator? Evaluator(ExampleSet set, EvaluateOptions evaluate, PretrainOptions pretrain, SpecialIds ids)
    {
        int count = evaluate.MaxExamples > 0 ? Math.Min(evaluate.MaxExamples, set.Count) : set.Count;
        if (count == 0)
        {
            return null;
        }

        var masking = new DynamicMasking(ids, pretrain.MaskProbability, pretrain.MaskReplaceProbability, pretrain.MaskWithReplacement);
        IReadOnlyList<ExampleBatch> batches =
            [.. Enumerable.Range(0, count).Chunk(HeldOutEvaluator.BatchSize).Select(indices => Read(set, indices))];
        return new HeldOutEvaluator(batches, masking, ids, pretrain, (ulong)evaluate.Seed);
    }

    private static ExampleBatch Read(ExampleSet set, int[] indices)
    {
        int length = set.SequenceLength;
        var ids = new int[indices.Length * length];
        var lengths = new int[indices.Length];
        var seconds = new int[indices.Length];
        for (int b = 0; b < indices.Length; b++)
        {
            set.Read(indices[b], ids.AsSpan(b * length, length), out lengths[b], out seconds[b]);
        }

        return new ExampleBatch(ids, lengths, seconds, indices.Length, length);
    }
}
