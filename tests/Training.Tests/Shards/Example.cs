namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>[CLS] A [SEP], or [CLS] A [SEP] B [SEP].</summary>
/// <param name="Ids">Token ids, without padding.</param>
/// <param name="SecondSegmentStart">Index of B's first token; the length where there is no B.</param>
internal sealed record Example(int[] Ids, int SecondSegmentStart);
