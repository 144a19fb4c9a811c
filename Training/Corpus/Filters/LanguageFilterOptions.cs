namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Which languages documents may be in.</summary>
public sealed record LanguageFilterOptions
{
    /// <summary>Codes of the languages that stay; empty: every language, and the report tells how many documents each has.</summary>
    public IReadOnlyList<string> Allowed { get; init; } = [];

    /// <summary>Share of a document that must be in its main language.</summary>
    public double MinShare { get; init; } = 0.5;

    /// <summary>
    /// Text files, one a language, to learn the languages from, relative to the config; a file's name without its ending is the
    /// language's code ("de.txt"). Empty: the languages that are built in.
    /// </summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    internal void Check(FilterFaults faults)
    {
        faults.Share(MinShare, "language.minShare");
        if (Profiles.Count == 0)
        {
            faults.Languages(Allowed, "language.allowed");
            return;
        }

        var known = Profiles.Select(file => Path.GetFileNameWithoutExtension(file)).ToList();
        foreach (string code in Allowed.Where(code => !known.Contains(code)))
        {
            faults.Require(false, "language.allowed", code, $"the languages of language.profiles: {string.Join(", ", known)}");
        }
    }
}
