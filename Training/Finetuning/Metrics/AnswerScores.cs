namespace ElectraPipeline.Training.Finetuning.Metrics;

/// <summary>
/// Exact match and F1 of answers, each the best over a question's expected ones, averaged over questions: the rules of SQuAD 1.1, or of 2.0
/// where questions may have no answer ("").
/// </summary>
internal sealed class AnswerScores(bool mayLackAnswer)
{
    private double exact;
    private double overlap;

    /// <summary>Questions.</summary>
    public long Total { get; private set; }

    /// <summary>Share of questions whose answer is an expected one, word for word; 0 without questions.</summary>
    public double ExactMatch => Total == 0 ? 0 : exact / Total;

    /// <summary>Mean F1 of the words that an answer shares with the nearest expected one; 0 without questions.</summary>
    public double F1 => Total == 0 ? 0 : overlap / Total;

    /// <summary>Takes a question in.</summary>
    /// <param name="expected">Its answers; none: it has no answer.</param>
    /// <param name="answer">The answer given, "" for none; null: the question was not answered at all, which is wrong.</param>
    public void Add(IReadOnlyList<string> expected, string? answer)
    {
        Total++;
        if (answer is null)
        {
            return;
        }

        string[] words = AnswerText.WordsOf(answer);
        List<string[]> right = [.. expected.Select(AnswerText.WordsOf).Where(text => text.Length > 0 || !mayLackAnswer)];
        if (right.Count == 0 && mayLackAnswer)
        {
            right.Add([]);
        }

        exact += right.Any(text => text.SequenceEqual(words)) ? 1 : 0;
        overlap += right.Select(text => Overlap(text, words)).DefaultIfEmpty(0).Max();
    }

    private double Overlap(string[] expected, string[] given)
    {
        if (mayLackAnswer && (expected.Length == 0 || given.Length == 0))
        {
            return expected.Length == given.Length ? 1 : 0;
        }

        Dictionary<string, int> left = expected.CountBy(word => word).ToDictionary(StringComparer.Ordinal);
        int shared = 0;
        foreach (string word in given)
        {
            if (left.TryGetValue(word, out int count) && count > 0)
            {
                left[word] = count - 1;
                shared++;
            }
        }

        return shared == 0 ? 0 : 2.0 * shared / (expected.Length + given.Length);
    }
}
