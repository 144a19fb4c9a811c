namespace ElectraPipeline.Training.Shards;

/// <summary>Examples padded to one length.</summary>
/// <param name="InputIds">Token ids, [B * L], padding included.</param>
/// <param name="Lengths">Real tokens of each example, [B].</param>
/// <param name="SecondSegmentStarts">Index of the first token of each second segment, [B]; the example's length where it has none.</param>
/// <param name="BatchSize">B, examples.</param>
/// <param name="SequenceLength">L, tokens an example, padding included.</param>
public sealed record ExampleBatch(int[] InputIds, int[] Lengths, int[] SecondSegmentStarts, int BatchSize, int SequenceLength)
{
    /// <summary>A batch whose ids are whatever memory held: every example is about to be read into it.</summary>
    internal static ExampleBatch Uninitialized(int batchSize, int sequenceLength) =>
        new(
            GC.AllocateUninitializedArray<int>(checked(batchSize * sequenceLength)),
            new int[batchSize],
            new int[batchSize],
            batchSize,
            sequenceLength
        );
}
