namespace ElectraPipeline.Training.Finetuning.Metrics;

/// <summary>
/// Chunks found, right and expected, by the rules of conlleval (CoNLL-2000): a chunk is right where its type, start and end are, whatever
/// the style of its tags (IOB1, IOB2, IOE, brackets).
/// </summary>
internal sealed class ChunkCounts
{
    private long words;
    private long rightWords;
    private long right;
    private long found;
    private long expected;

    /// <summary>Right chunks as a share of those found; 0 where none is.</summary>
    public double Precision => Ratio(right, found);

    /// <summary>Right chunks as a share of those expected; 0 where none is.</summary>
    public double Recall => Ratio(right, expected);

    /// <summary>Harmonic mean of precision and recall; 0 where both are.</summary>
    public double F1 => Ratio(2 * right, found + expected);

    /// <summary>Share of words whose tag is right.</summary>
    public double Accuracy => Ratio(rightWords, words);

    /// <summary>Chunks (right, found, expected).</summary>
    public (long Right, long Found, long Expected) Chunks => (right, found, expected);

    /// <summary>Takes a sentence in; the ends of it end chunks.</summary>
    /// <param name="truth">Tag of each word, "B-NP", "O".</param>
    /// <param name="predicted">The answer for each.</param>
    public void AddSentence(IReadOnlyList<string> truth, IReadOnlyList<string> predicted)
    {
        if (truth.Count != predicted.Count)
        {
            throw new ArgumentException($"{truth.Count} tags and {predicted.Count} answers", nameof(predicted));
        }

        Tag lastTruth = Tag.None,
            lastAnswer = Tag.None;
        bool inRight = false;
        for (int i = 0; i <= truth.Count; i++)
        {
            Tag expectedTag = i < truth.Count ? Tag.Parse(truth[i]) : Tag.None;
            Tag answer = i < truth.Count ? Tag.Parse(predicted[i]) : Tag.None;
            if (inRight)
            {
                bool ends = lastTruth.EndsBefore(expectedTag),
                    answerEnds = lastAnswer.EndsBefore(answer);
                right += ends && answerEnds ? 1 : 0;
                inRight = !ends && !answerEnds && expectedTag.Type == answer.Type;
            }

            bool starts = expectedTag.StartsAfter(lastTruth),
                answerStarts = answer.StartsAfter(lastAnswer);
            inRight |= starts && answerStarts && expectedTag.Type == answer.Type;
            expected += starts ? 1 : 0;
            found += answerStarts ? 1 : 0;
            (lastTruth, lastAnswer) = (expectedTag, answer);
        }

        words += truth.Count;
        rightWords += truth.Zip(predicted).Count(pair => pair.First == pair.Second);
    }

    private static double Ratio(double numerator, double denominator) => denominator == 0 ? 0 : numerator / denominator;

    /// <summary>A tag: its letter, and the type behind the dash.</summary>
    private readonly record struct Tag(char Letter, string Type)
    {
        public static Tag None { get; } = new('O', "");

        private bool IsOutside => Letter is 'O' or '.';

        public static Tag Parse(string tag)
        {
            int dash = tag.IndexOf('-', StringComparison.Ordinal);
            return dash < 0 ? new Tag(tag.Length == 1 ? tag[0] : 'O', "") : new Tag(tag[0], tag[(dash + 1)..]);
        }

        public bool EndsBefore(Tag next) =>
            (Letter, next.Letter) is ('B' or 'I', 'B' or 'O') or ('E', 'E' or 'I' or 'O') or (']' or '[', _)
            || (!IsOutside && Type != next.Type);

        public bool StartsAfter(Tag previous) =>
            (previous.Letter, Letter) is ('B' or 'I' or 'O', 'B') or ('O', 'I' or 'E') or ('E', 'E' or 'I') or (_, ']' or '[')
            || (!IsOutside && previous.Type != Type);
    }
}
