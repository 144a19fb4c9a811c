using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>
/// The rules of <see cref="ExampleBuilder"/> written plainly, list by list, as the independent implementation it is held against.
/// </summary>
internal sealed class PlainExampleBuilder
{
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
    public PlainExampleBuilder(ExampleOptions options, int classifierId, int separatorId)
    {
        this.options = options;
        this.classifierId = classifierId;
        this.separatorId = separatorId;
        carries = options.Overflow == "carry";
    }

    /// <summary>The examples of a document; <paramref name="hash"/> stands for its text in the draws.</summary>
    public IEnumerable<Example> Build(IEnumerable<int[]> document, ulong seed, ulong hash)
    {
        random = new CounterRandom(RandomPurpose.SeedFor(seed, RandomPurpose.Segments), hash);
        sentences.Clear();
        tokens = 0;
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
        bool[] joinsFirst = Divide(firstTarget);
        int[][] overflow = [.. sentences];
        List<int> first = Take(overflow, joinsFirst, segment: true, max - 2);
        List<int> second = Take(overflow, joinsFirst, segment: false, Math.Max(0, max - first.Count - 3));
        Keep(overflow);
        target =
            random.NextDouble() < options.ShortTargetProbability
                ? ExampleOptions.MinSequenceLength + random.Next(max - ExampleOptions.MinSequenceLength + 1)
                : max;
        int[] opening = [classifierId, .. first, separatorId];
        return second.Count == 0 ? new Example(opening, opening.Length) : new Example([.. opening, .. second, separatorId], opening.Length);
    }

    /// <summary>Which sentences join the first segment; the others are the second.</summary>
    private bool[] Divide(int firstTarget)
    {
        bool[] joinsFirst = new bool[sentences.Count];
        int first = 0;
        int second = 0;
        for (int i = 0; i < joinsFirst.Length; i++)
        {
            int length = sentences[i].Length;
            joinsFirst[i] = first == 0 || first + length < firstTarget || (second == 0 && first < firstTarget && random.NextDouble() < 0.5);
            first += joinsFirst[i] ? length : 0;
            second += joinsFirst[i] ? 0 : length;
        }

        return joinsFirst;
    }

    /// <summary>Moves the sentences of a segment out of <paramref name="rest"/> while there is room; what found none stays there.</summary>
    private static List<int> Take(int[][] rest, bool[] joinsFirst, bool segment, int room)
    {
        var taken = new List<int>();
        for (int i = 0; i < rest.Length; i++)
        {
            if (joinsFirst[i] == segment)
            {
                int part = Math.Min(rest[i].Length, room - taken.Count);
                taken.AddRange(rest[i].AsSpan(0, part));
                rest[i] = rest[i][part..];
            }
        }

        return taken;
    }

    /// <summary>Carried sentences keep their bounds and their order, so that the next example is divided as any other.</summary>
    private void Keep(int[][] overflow)
    {
        sentences.Clear();
        sentences.AddRange(overflow.Where(sentence => carries && sentence.Length > 0));
        tokens = sentences.Sum(sentence => sentence.Length);
    }
}
