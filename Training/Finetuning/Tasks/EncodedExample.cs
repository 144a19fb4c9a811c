using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>One example as the model sees it: [CLS] A [SEP] (B [SEP]).</summary>
/// <param name="Ids">Token ids without padding.</param>
/// <param name="SecondSegment">Index of B's first token; the length where there is no B.</param>
/// <param name="Label">Number of the class.</param>
/// <param name="Truncated">Whether tokens were cut off.</param>
internal sealed record EncodedExample(int[] Ids, int SecondSegment, int Label, bool Truncated);

/// <summary>Turns labelled texts into token ids of a bounded length.</summary>
internal sealed class ExampleEncoder(ITokenizer tokenizer, IReadOnlyList<string> labels, int maxLength)
{
    private readonly Dictionary<string, int> numbers = labels.Index().ToDictionary(item => item.Item, item => item.Index);
    private readonly int classifierId = tokenizer.Vocabulary.ClassifierId;
    private readonly int separatorId = tokenizer.Vocabulary.SeparatorId;

    /// <summary>Encodes a list, in its order.</summary>
    public IReadOnlyList<EncodedExample> Encode(IEnumerable<TaskExample> examples) => [.. examples.Select(Encode)];

    /// <summary>Encodes one. What does not fit is cut off the end of the text, of a pair off the end of the longer one.</summary>
    public EncodedExample Encode(TaskExample example)
    {
        List<int> first = [], second = [];
        tokenizer.Encode(example.Text, first);
        if (example.Pair is not null)
        {
            tokenizer.Encode(example.Pair, second);
        }

        int room = maxLength - (example.Pair is null ? 2 : 3);
        (int keptFirst, int keptSecond) = Fit(first.Count, second.Count, room);
        int[] ids = example.Pair is null
            ? [classifierId, .. first[..keptFirst], separatorId]
            : [classifierId, .. first[..keptFirst], separatorId, .. second[..keptSecond], separatorId];
        return new EncodedExample(ids, keptFirst + 2, numbers[example.Label], keptFirst + keptSecond < first.Count + second.Count);
    }

    /// <summary>
    /// Lengths that remain when one token at a time is taken off the longer text, of equals off the second, until both fit.
    /// </summary>
    internal static (int First, int Second) Fit(int first, int second, int room)
    {
        int excess = first + second - room;
        if (excess <= 0)
        {
            return (first, second);
        }

        // The longer one shrinks to the other's length before both shrink in turn, the second first.
        int alone = Math.Min(excess, Math.Abs(first - second));
        (first, second) = first > second ? (first - alone, second) : (first, second - alone);
        int rest = excess - alone;
        return (first - (rest / 2), second - ((rest + 1) / 2));
    }
}
