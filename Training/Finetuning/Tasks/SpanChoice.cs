namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>The best span that a part of a text, or all parts of it together, offer as an answer.</summary>
/// <param name="Start">First UTF-16 unit in the context.</param>
/// <param name="End">Behind its last.</param>
/// <param name="Score">Sum of its ends' logits; minus infinity: no span is allowed.</param>
/// <param name="NoAnswer">The same of [CLS], the smallest of all parts: one part that has the answer is enough.</param>
internal sealed record SpanChoice(int Start, int End, float Score, float NoAnswer)
{
    private const int Candidates = 20;
    private const int LongestAnswer = 30;

    /// <summary>The choice in one part.</summary>
    /// <param name="window">The part.</param>
    /// <param name="logits">Start and end in turn for each token.</param>
    public static SpanChoice Of(WindowExample window, ReadOnlySpan<float> logits)
    {
        float[] both = logits.ToArray();
        int first = window.SecondSegment,
            count = window.Pieces.Length;
        int[] starts =
        [
            .. Enumerable.Range(0, count).Where(i => window.Widest[i]).OrderByDescending(i => both[2 * (first + i)]).Take(Candidates),
        ];
        int[] ends = [.. Enumerable.Range(0, count).OrderByDescending(i => both[(2 * (first + i)) + 1]).Take(Candidates)];
        SpanChoice best = new(0, 0, float.NegativeInfinity, both[0] + both[1]);
        foreach (int start in starts)
        {
            foreach (int end in ends.Where(end => end >= start && end < start + LongestAnswer))
            {
                float score = both[2 * (first + start)] + both[(2 * (first + end)) + 1];
                best =
                    score > best.Score
                        ? best with
                        {
                            Start = window.Pieces[start].Start,
                            End = window.Pieces[end].End,
                            Score = score,
                        }
                        : best;
            }
        }

        return best;
    }

    /// <summary>The choice in two parts of one text.</summary>
    public SpanChoice Join(SpanChoice other)
    {
        SpanChoice better = other.Score > Score || (other.Score == Score && other.Start < Start) ? other : this;
        return better with { NoAnswer = Math.Min(NoAnswer, other.NoAnswer) };
    }

    /// <summary>The text of the answer; "" where there is none.</summary>
    public string AnswerIn(string context, bool mayLackAnswer) => mayLackAnswer && NoAnswer > Score ? "" : context[Start..End];
}
