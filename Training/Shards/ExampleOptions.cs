namespace ElectraPipeline.Training.Shards;

/// <summary>How documents become examples of a fixed length (official build_pretraining_dataset.py unless said).</summary>
public sealed record ExampleOptions
{
    /// <summary>Tokens an example holds at most, [CLS] and [SEP] included.</summary>
    public int SequenceLength { get; init; } = 128;

    /// <summary>"carry": tokens that do not fit start the next example; "discard": they are dropped, as in the official code.</summary>
    public string Overflow { get; init; } = "carry";

    /// <summary>Probability of a single-segment example.</summary>
    public double SingleSegmentProbability { get; init; } = 0.1;

    /// <summary>Probability of a shorter target length.</summary>
    public double ShortTargetProbability { get; init; } = 0.05;

    /// <summary>Share of documents, chosen by the hash of their text, held out for evaluation, in [0, 0.5].</summary>
    public double HeldOutShare { get; init; } = 0.01;
}
