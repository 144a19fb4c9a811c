namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>The most frequent words of the languages that are known without any data of the user's: frequent-words.txt.</summary>
internal sealed class FrequentWords
{
    /// <summary>Stop words of a language.</summary>
    public const int StopWords = 8;

    private static readonly Lazy<FrequentWords> Shared = new(() => new FrequentWords());

    private readonly SortedDictionary<string, List<string>> words = new(StringComparer.Ordinal);

    private FrequentWords()
    {
        using Stream stream =
            typeof(FrequentWords).Assembly.GetManifestResourceStream("frequent-words.txt")
            ?? throw new InvalidOperationException("frequent-words.txt is not embedded in the assembly");
        using var reader = new StreamReader(stream);
        List<string>? current = null;
        while (reader.ReadLine() is { } line)
        {
            if (line.EndsWith(':'))
            {
                current = words[line[..^1]] = [];
            }
            else if (!line.StartsWith('#'))
            {
                current!.AddRange(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }
    }

    /// <summary>The lists of this assembly.</summary>
    public static FrequentWords Instance => Shared.Value;

    /// <summary>ISO 639-1 codes, sorted.</summary>
    public IReadOnlyCollection<string> Languages => words.Keys;

    /// <summary>Lower-case words of a language, the eight stop words first, then in no strict order.</summary>
    public IReadOnlyList<string> Of(string language) => words[language];
}
