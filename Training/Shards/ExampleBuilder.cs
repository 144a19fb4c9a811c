using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Shards;

/// <summary>Takes an example as it is made.</summary>
/// <param name="ids">[CLS] A [SEP], or [CLS] A [SEP] B [SEP], without padding; valid during the call.</param>
/// <param name="secondSegmentStart">Index of B's first token; the length where there is no B.</param>
public delegate void ExampleReceiver(ReadOnlySpan<int> ids, int secondSegmentStart);

/// <summary>
/// Packs the sentences of one document into examples, as the official build_pretraining_dataset.py does; an example never crosses
/// documents. Every draw is a function of (seed, document), so the order of documents and the number of workers do not matter.
/// Allocates nothing per example. Not safe for several threads.
/// </summary>
public sealed class ExampleBuilder
{
    /// <summary>A first segment of this target length takes all there is.</summary>
    private const int Unlimited = 100_000;

    private readonly ExampleOptions options;
    private readonly int separatorId;
    private readonly bool carries;
    private readonly int[] example;

    // What waits to be packed: ranges of the document's ids, each a sentence or what is left of one.
    private readonly List<Waiting> sentences = [];
    private int tokens;
    private int target;
    private CounterRandom random;

    /// <summary>Makes one for a vocabulary's special ids.</summary>
    public ExampleBuilder(ExampleOptions options, int classifierId, int separatorId)
    {
        this.options = options;
        this.separatorId = separatorId;
        carries = options.Overflow == "carry";
        example = new int[options.SequenceLength];
        example[0] = classifierId;
    }

    /// <summary>Makes the examples of a document; <paramref name="hash"/> stands for its text in the draws.</summary>
    public void Build(EncodedDocument document, ulong seed, ulong hash, ExampleReceiver receiver)
    {
        random = new CounterRandom(RandomPurpose.SeedFor(seed, RandomPurpose.Segments), hash);
        sentences.Clear();
        tokens = 0;
        target = options.SequenceLength;
        int start = 0;
        foreach (int end in document.SentenceEnds)
        {
            sentences.Add(new Waiting(start, end));
            tokens += end - start;
            start = end;
            while (tokens >= target)
            {
                Create(document.Ids, receiver);
            }
        }

        while (tokens > 0)
        {
            Create(document.Ids, receiver);
        }
    }

    private void Create(ReadOnlySpan<int> ids, ExampleReceiver receiver)
    {
        int max = options.SequenceLength;
        Divide(random.NextDouble() < options.SingleSegmentProbability ? Unlimited : (target - 3) / 2);
        int length = Take(ids, first: true, 1, max - 2);
        int second = length;
        int room = max - second - 1;
        if (room > 0 && Take(ids, first: false, second, room) is var end && end > second)
        {
            length = end;
        }

        Keep();
        target =
            random.NextDouble() < options.ShortTargetProbability
                ? ExampleOptions.MinSequenceLength + random.Next(max - ExampleOptions.MinSequenceLength + 1)
                : max;
        receiver(example.AsSpan(0, length), second);
    }

    /// <summary>Says of each sentence whether it joins the first segment; the others are the second.</summary>
    private void Divide(int firstTarget)
    {
        int first = 0;
        int second = 0;
        foreach (ref Waiting sentence in CollectionsMarshal.AsSpan(sentences))
        {
            int length = sentence.Length;
            sentence.JoinsFirst =
                first == 0 || first + length < firstTarget || (second == 0 && first < firstTarget && random.NextDouble() < 0.5);
            first += sentence.JoinsFirst ? length : 0;
            second += sentence.JoinsFirst ? 0 : length;
        }
    }

    /// <summary>
    /// Moves the sentences of a segment to the example from <paramref name="at"/> on while there is room for their tokens; what found
    /// none stays. Closes the segment with [SEP] if it has a token, and returns where it ends.
    /// </summary>
    private int Take(ReadOnlySpan<int> ids, bool first, int at, int room)
    {
        int taken = 0;
        foreach (ref Waiting sentence in CollectionsMarshal.AsSpan(sentences))
        {
            if (sentence.JoinsFirst == first)
            {
                int part = Math.Min(sentence.Length, room - taken);
                ids.Slice(sentence.Start, part).CopyTo(example.AsSpan(at + taken));
                sentence.Start += part;
                taken += part;
            }
        }

        if (taken == 0)
        {
            return at;
        }

        example[at + taken] = separatorId;
        return at + taken + 1;
    }

    /// <summary>Carried sentences keep their bounds and their order, so that the next example is divided as any other.</summary>
    private void Keep()
    {
        tokens = 0;
        int kept = 0;
        foreach (Waiting sentence in CollectionsMarshal.AsSpan(sentences))
        {
            if (carries && sentence.Length > 0)
            {
                sentences[kept++] = sentence;
                tokens += sentence.Length;
            }
        }

        CollectionsMarshal.SetCount(sentences, kept);
    }

    private struct Waiting(int start, int end)
    {
        public int Start = start;
        public bool JoinsFirst;
        private readonly int end = end;

        public readonly int Length => end - Start;
    }
}
