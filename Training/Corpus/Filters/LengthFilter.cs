namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Removes documents that are too short or too long.</summary>
internal sealed class LengthFilter(LengthFilterOptions options) : IDocumentFilter
{
    public string Name => "length";

    public FilterVerdict Judge(FilteredDocument document)
    {
        int characters = document.Text.Length;
        int words = document.Words.Count;
        return characters < options.MinCharacters ? FilterVerdict.Remove("too-few-characters", $"{characters}, at least {options.MinCharacters}")
            : characters > options.MaxCharacters ? FilterVerdict.Remove("too-many-characters", $"{characters}, at most {options.MaxCharacters}")
            : words < options.MinWords ? FilterVerdict.Remove("too-few-words", $"{words}, at least {options.MinWords}")
            : words > options.MaxWords ? FilterVerdict.Remove("too-many-words", $"{words}, at most {options.MaxWords}")
            : FilterVerdict.Keep;
    }
}
