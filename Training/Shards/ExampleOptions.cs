namespace ElectraPipeline.Training.Shards;

/// <summary>How documents become examples of a fixed length (official build_pretraining_dataset.py unless said).</summary>
public sealed record ExampleOptions
{
    /// <summary>The shortest target length that is drawn; a sequence holds as much.</summary>
    internal const int MinSequenceLength = 5;

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

    /// <summary>Throws where a value is out of range.</summary>
    /// <exception cref="PermanentException">The message names the option and its range.</exception>
    internal ExampleOptions Validated()
    {
        Require(
            SequenceLength is >= MinSequenceLength and <= ushort.MaxValue,
            $"sequenceLength is {SequenceLength}; it must be in [{MinSequenceLength}, {ushort.MaxValue}]"
        );
        Require(Overflow is "carry" or "discard", $"overflow is \"{Overflow}\"; it must be \"carry\" or \"discard\"");
        Require(SingleSegmentProbability is >= 0 and <= 1, $"singleSegmentProbability is {SingleSegmentProbability}; it must be in [0, 1]");
        Require(ShortTargetProbability is >= 0 and <= 1, $"shortTargetProbability is {ShortTargetProbability}; it must be in [0, 1]");
        Require(HeldOutShare is >= 0 and <= 0.5, $"heldOutShare is {HeldOutShare}; it must be in [0, 0.5]");
        return this;
    }

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new PermanentException("examples." + message);
        }
    }
}
