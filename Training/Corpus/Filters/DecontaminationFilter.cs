using System.Text.Json;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Removes documents that share n words in a row with a file that models are evaluated on. Texts of such files with fewer words than
/// that are not looked for: they are found everywhere.
/// </summary>
internal sealed class DecontaminationFilter : IDocumentFilter
{
    private readonly DecontaminationOptions options;
    private readonly HashSet<ulong> evaluated = [];

    /// <exception cref="PermanentException">A file is broken JSONL; the message names it and the line.</exception>
    public DecontaminationFilter(DecontaminationOptions options, IReadOnlyList<SourceFile> files)
    {
        this.options = options;
        foreach (SourceFile file in files)
        {
            Read(file);
        }
    }

    public string Name => "decontaminate";

    public FilterVerdict Judge(FilteredDocument document)
    {
        TextWords words = document.Words;
        for (int start = 0; start + options.NgramWords <= words.Count; start++)
        {
            if (evaluated.Contains(WordNgrams.Hash(words.Hashes.Slice(start, options.NgramWords))))
            {
                string shared = string.Join(' ', Enumerable.Range(start, options.NgramWords).Select(word => words[word].ToString()));
                return FilterVerdict.Remove("evaluation-text", "shares: " + FilterLedger.Excerpt(shared, 200));
            }
        }

        return FilterVerdict.Keep;
    }

    private void Read(SourceFile file)
    {
        bool isJson = Path.GetExtension(file.Path) is ".jsonl" or ".ndjson" or ".json";
        using StreamReader reader = file.OpenText();
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            // In CSV the words of neighbouring cells may run into one n-gram; no text has it, so it does no harm.
            foreach (string text in isJson ? StringsOf(line, file.Path, number) : line.Split('\t'))
            {
                Remember(TextWords.Of(text));
            }
        }
    }

    private void Remember(TextWords words)
    {
        for (int start = 0; start + options.NgramWords <= words.Count; start++)
        {
            evaluated.Add(WordNgrams.Hash(words.Hashes.Slice(start, options.NgramWords)));
        }
    }

    private static IReadOnlyList<string> StringsOf(string line, string path, int number)
    {
        if (line.AsSpan().Trim().IsEmpty)
        {
            return [];
        }

        try
        {
            using var json = JsonDocument.Parse(line);
            return [.. StringsIn(json.RootElement)];
        }
        catch (JsonException exception)
        {
            throw new PermanentException(
                $"{path} of corpus.filters.decontaminate.files, line {number}: {exception.Message}; each line must be JSON of its own",
                exception
            );
        }
    }

    private static IEnumerable<string> StringsIn(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.String => [element.GetString()!],
            JsonValueKind.Array => element.EnumerateArray().SelectMany(StringsIn),
            JsonValueKind.Object => element.EnumerateObject().SelectMany(property => StringsIn(property.Value)),
            _ => [],
        };
}
