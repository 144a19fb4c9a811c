namespace ElectraPipeline.Training.Shards;

/// <summary>
/// Packs the sentences of one document into examples, as the official build_pretraining_dataset.py does; an example never crosses
/// documents. Every draw is a function of (seed, document), so the order of documents and the number of workers do not matter.
/// </summary>
public sealed class ExampleBuilder
{
    /// <summary>A first segment of this target length takes all there is.</summary>
    private const int Unlimited = 100_000;

    private readonly ExampleOptions options;
    private readonly int classifierId;
    private readonly int separatorId;
    private readonly bool carries;
    private readonly List<int[]> sentences = [];
    private int tokens;
    private int target;
    private CounterRandom random;

    /// <summary>Makes one for a vocabulary's special ids.</summary>
    public ExampleBuilder(ExampleOptions options, int classifierId, int separatorId)
    {
        this.options = options;
        this.classifierId = classifierId;
        this.separatorId = separatorId;
        carries = options.Overflow == "carry";
    }

    /// <summary>The examples of a document; <paramref name="hash"/> stands for its text in the draws.</summary>
    public IEnumerable<Example> Build(IEnumerable<int[]> document, ulong seed, ulong hash)
    {
        random = new CounterRandom(seed, hash);
        target = options.SequenceLength;
        foreach (int[] sentence in document.Where(sentence => sentence.Length > 0))
        {
            sentences.Add(sentence);
            tokens += sentence.Length;
            while (tokens >= target)
            {
                yield return Create();
            }
        }

        while (tokens > 0)
        {
            yield return Create();
        }
    }

    private Example Create()
    {
        int max = options.SequenceLength;
        int firstTarget = random.NextDouble() < options.SingleSegmentProbability ? Unlimited : (target - 3) / 2;
        var first = new List<int>();
        var second = new List<int>();
        foreach (int[] sentence in sentences)
        {
            bool joinsFirst = first.Count == 0
                || first.Count + sentence.Length < firstTarget
                || (second.Count == 0 && first.Count < firstTarget && random.NextDouble() < 0.5);
            (joinsFirst ? first : second).AddRange(sentence);
        }

        int firstLength = Math.Min(first.Count, max - 2);
        int secondLength = Math.Min(second.Count, Math.Max(0, max - firstLength - 3));
        Keep([.. first.Skip(firstLength), .. second.Skip(secondLength)]);
        target = random.NextDouble() < options.ShortTargetProbability ? 5 + random.Next(max - 4) : max;
        int[] opening = [classifierId, .. first.Take(firstLength), separatorId];
        return secondLength == 0
            ? new Example(opening, opening.Length)
            : new Example([.. opening, .. second.Take(secondLength), separatorId], opening.Length);
    }

    private void Keep(int[] overflow)
    {
        sentences.Clear();
        tokens = 0;
        if (carries && overflow.Length > 0)
        {
            sentences.Add(overflow);
            tokens = overflow.Length;
        }
    }
}
