namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>One labelled text, or pair of texts.</summary>
/// <param name="Text">The text, or the first of a pair.</param>
/// <param name="Pair">The second text of a pair.</param>
/// <param name="Label">The class, as it is written in the data.</param>
/// <param name="Group">Examples of one group stay on one side of a split; null: each text is its own group.</param>
internal sealed record TaskExample(string Text, string? Pair, string Label, string? Group);

/// <summary>Which columns or fields of a file are read.</summary>
internal sealed record TaskColumns(string Text, string? Pair, string Label, string? Group)
{
    public static TaskColumns Of(FinetuneOptions options) =>
        new(options.TextColumn, options.PairColumn, options.LabelColumn, options.GroupColumn);

    /// <summary>The columns in use, in the order that readers return their values.</summary>
    public IReadOnlyList<string> Names => [.. new[] { Text, Label, Pair, Group }.OfType<string>()];

    /// <summary>An example of the values of <see cref="Names"/>.</summary>
    public TaskExample Example(IReadOnlyList<string> values) =>
        new(values[0], Pair is null ? null : values[2], values[1], Group is null ? null : values[^1]);
}
