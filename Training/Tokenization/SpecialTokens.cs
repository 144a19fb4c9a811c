namespace ElectraPipeline.Training.Tokenization;

/// <summary>The five tokens that BERT and ELECTRA give a meaning, in the order trained vocabularies start with.</summary>
public static class SpecialTokens
{
    /// <summary>Fills sequences up to the batch's length.</summary>
    public const string Pad = "[PAD]";

    /// <summary>Stands for a word the vocabulary cannot spell.</summary>
    public const string Unknown = "[UNK]";

    /// <summary>Starts every sequence; its hidden state stands for the whole.</summary>
    public const string Classifier = "[CLS]";

    /// <summary>Ends every segment.</summary>
    public const string Separator = "[SEP]";

    /// <summary>Hides a token from the generator.</summary>
    public const string Mask = "[MASK]";

    /// <summary>All five: ids 0 to 4 of a trained vocabulary.</summary>
    public static IReadOnlyList<string> All { get; } = [Pad, Unknown, Classifier, Separator, Mask];
}
