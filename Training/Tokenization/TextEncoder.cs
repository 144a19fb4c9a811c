namespace ElectraPipeline.Training.Tokenization;

/// <summary>Token ids of a text or pair, of a bounded length.</summary>
internal readonly record struct EncodedText(int[] Ids, int SecondSegment, bool Truncated);

/// <summary>Turns texts into token ids of a bounded length.</summary>
internal sealed class TextEncoder(ITokenizer tokenizer, int maxLength)
{
    private readonly int classifierId = tokenizer.Vocabulary.ClassifierId;
    private readonly int separatorId = tokenizer.Vocabulary.SeparatorId;

    /// <summary>
    /// Encodes a text or pair. What does not fit is cut off the end of the text, of a pair off the end of the longer one.
    /// </summary>
    public EncodedText Encode(string text, string? pair)
    {
        List<int> first = [],
            second = [];
        tokenizer.Encode(text, first);
        if (pair is not null)
        {
            tokenizer.Encode(pair, second);
        }

        int room = maxLength - (pair is null ? 2 : 3);
        (int keptFirst, int keptSecond) = Fit(first.Count, second.Count, room);
        int[] ids = pair is null
            ? [classifierId, .. first[..keptFirst], separatorId]
            : [classifierId, .. first[..keptFirst], separatorId, .. second[..keptSecond], separatorId];
        return new EncodedText(ids, keptFirst + 2, keptFirst + keptSecond < first.Count + second.Count);
    }

    /// <summary>
    /// Encodes words one by one and says where each starts. A word that normalization leaves nothing of counts as unknown; words whose
    /// first token does not fit have no place.
    /// </summary>
    public (EncodedText Text, int[] Places) Encode(IReadOnlyList<string> words)
    {
        List<int> ids = [classifierId],
            places = [];
        bool truncated = false;
        foreach (string word in words)
        {
            int start = ids.Count;
            tokenizer.Encode(word, ids);
            if (ids.Count == start)
            {
                ids.Add(tokenizer.Vocabulary.UnknownId);
            }

            if (start >= maxLength - 1)
            {
                truncated = true;
                break;
            }

            places.Add(start);
        }

        truncated |= ids.Count > maxLength - 1;
        int[] kept = [.. ids.Take(maxLength - 1), separatorId];
        return (new EncodedText(kept, kept.Length, truncated), [.. places]);
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
