namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>One example as the model sees it: [CLS] A [SEP] (B [SEP]). Kinds of tasks add what is to be answered.</summary>
/// <param name="Ids">Token ids without padding.</param>
/// <param name="SecondSegment">Index of B's first token; the length where there is no B.</param>
/// <param name="Truncated">Whether tokens were cut off.</param>
internal abstract record EncodedExample(int[] Ids, int SecondSegment, bool Truncated)
{
    /// <summary>Answers that the loss sums over.</summary>
    public virtual int Targets => 1;
}

/// <summary>A text or pair and the number of its class.</summary>
internal sealed record ClassExample(int[] Ids, int SecondSegment, bool Truncated, int Label)
    : EncodedExample(Ids, SecondSegment, Truncated);

/// <summary>A text or pair and its score, in the data's units.</summary>
internal sealed record ScoreExample(int[] Ids, int SecondSegment, bool Truncated, double Score)
    : EncodedExample(Ids, SecondSegment, Truncated);

/// <summary>
/// A sentence with the number of each word's tag, and the index in the ids of each word's first token: ascending, and fewer than words
/// where
/// the end was cut off.
/// </summary>
internal sealed record TagExample(int[] Ids, int SecondSegment, bool Truncated, int[] Tags, int[] Places)
    : EncodedExample(Ids, SecondSegment, Truncated)
{
    /// <inheritdoc/>
    public override int Targets => Places.Length;
}
