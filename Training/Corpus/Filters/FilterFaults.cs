namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Gathers what is wrong with filter options.</summary>
internal sealed class FilterFaults
{
    private readonly List<string> found = [];

    public IReadOnlyList<string> Found => found;

    public void Require<T>(bool holds, string field, T value, string allowed)
    {
        if (!holds)
        {
            found.Add($"corpus.filters.{field} is {value}; allowed: {allowed}");
        }
    }

    public void Share(double value, string field) => Require(value is >= 0 and <= 1, field, value, "0 to 1");

    public void Languages(IReadOnlyList<string> codes, string field)
    {
        foreach (string code in codes.Where(code => !FrequentWords.Instance.Languages.Contains(code)))
        {
            Require(false, field, code, string.Join(", ", FrequentWords.Instance.Languages));
        }
    }
}
