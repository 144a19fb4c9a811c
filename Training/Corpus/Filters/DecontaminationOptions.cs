namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Files whose texts must not be trained on.</summary>
public sealed record DecontaminationOptions
{
    /// <summary>Files of evaluation tasks, relative to the config: JSONL (every text in an object) or lines of text, TSV, CSV.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Words in a row that betray such a text.</summary>
    public int NgramWords { get; init; } = 13;

    internal void Check(FilterFaults faults)
    {
        faults.Require(Files.Count > 0, "decontaminate.files", "[]", "at least one file");
        faults.Require(NgramWords is >= 1 and <= 100, "decontaminate.ngramWords", NgramWords, "1 to 100");
    }
}
