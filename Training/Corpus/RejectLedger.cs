namespace ElectraPipeline.Training.Corpus;

/// <summary>Counts rejects by reason and keeps the first few of each.</summary>
internal sealed class RejectLedger
{
    private const int SamplesKept = 10;
    private readonly SortedDictionary<string, (long Count, List<Reject> Samples)> byReason = new(StringComparer.Ordinal);

    /// <summary>Rejects so far.</summary>
    public long Total { get; private set; }

    public void Add(Reject reject)
    {
        (long count, List<Reject> samples) = byReason.GetValueOrDefault(reject.Reason, (0, []));
        if (samples.Count < SamplesKept)
        {
            samples.Add(reject);
        }

        byReason[reject.Reason] = (count + 1, samples);
        Total++;
    }

    public IReadOnlyList<RejectCount> Counts() =>
        byReason
            .OrderByDescending(reason => reason.Value.Count)
            .Select(reason => new RejectCount(reason.Key, reason.Value.Count, reason.Value.Samples))
            .ToList();

    /// <summary>One sentence for a message: counts and the first reject of each reason.</summary>
    public override string ToString() =>
        string.Join("; ", Counts().Select(reason => $"{reason.Count} {reason.Reason}, first {reason.Samples[0].Describe()}"));
}
