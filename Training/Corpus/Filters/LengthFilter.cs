namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Removes documents that are too short or too long.</summary>
internal sealed class LengthFilter(LengthFilterOptions options) : IDocumentFilter
{
    public string Name => "length";

    public FilterVerdict Judge(FilteredDocument document)
    {
        int characters = document.Text.Length;
        if (characters < options.MinCharacters)
        {
            return FilterVerdict.Remove("too-few-characters", $"{characters}, at least {options.MinCharacters}");
        }

        if (characters > options.MaxCharacters)
        {
            return FilterVerdict.Remove("too-many-characters", $"{characters}, at most {options.MaxCharacters}");
        }

        // Only now: finding the words of a text that is gone anyway would cost more than all else here.
        int words = document.Words.Count;
        return words < options.MinWords ? FilterVerdict.Remove("too-few-words", $"{words}, at least {options.MinWords}")
            : words > options.MaxWords ? FilterVerdict.Remove("too-many-words", $"{words}, at most {options.MaxWords}")
            : FilterVerdict.Keep;
    }
}
