namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The names that a wiki's language gives to its namespaces, from the head of its export, and the English ones.</summary>
internal sealed class WikiNamespaces
{
    private const string File = "6";
    private const string Media = "-2";
    private const string Category = "14";

    // MediaWiki understands the canonical English names in every language.
    private readonly Dictionary<string, string> keys = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Media"] = Media,
        ["Special"] = "-1",
        ["Talk"] = "1",
        ["User"] = "2",
        ["User talk"] = "3",
        ["Project"] = "4",
        ["Project talk"] = "5",
        ["Wikipedia"] = "4",
        ["File"] = File,
        ["Image"] = File,
        ["File talk"] = "7",
        ["MediaWiki"] = "8",
        ["Template"] = "10",
        ["Template talk"] = "11",
        ["Help"] = "12",
        ["Category"] = Category,
        ["Category talk"] = "15",
        ["Portal"] = "100",
    };

    public void Add(string? key, string name)
    {
        if (key is not null && name.Length > 0)
        {
            keys[name] = key;
        }
    }

    /// <summary>Whether a page of this title lies outside the main namespace.</summary>
    public bool IsOutsideMain(string title) => KeyOf(title) is not null;

    /// <summary>Whether a link to this target shows nothing in the running text: pictures, categories, other languages.</summary>
    /// <remarks>A target that begins with ':' is an ordinary link to such a page.</remarks>
    public bool IsInvisible(ReadOnlySpan<char> target) => KeyOf(target) is File or Media or Category || IsLanguageLink(target);

    private string? KeyOf(ReadOnlySpan<char> title)
    {
        int colon = title.IndexOf(':');
        return colon > 0 ? keys.GetValueOrDefault(title[..colon].Trim().ToString().Replace('_', ' ')) : null;
    }

    /// <summary>"de:Titel", "zh-yue:...", "simple:...": a prefix of lower-case ASCII letters directly before the title.</summary>
    private static bool IsLanguageLink(ReadOnlySpan<char> target)
    {
        int colon = target.IndexOf(':');
        return colon >= 2
            && colon < target.Length - 1
            && target[colon + 1] != ' '
            && (colon is 2 or 3 || target[..colon].Contains('-') || target[..colon] is "simple")
            && target[..colon].IndexOfAnyExcept(LanguageCharacters) < 0;
    }

    private static readonly System.Buffers.SearchValues<char> LanguageCharacters = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyz-"
    );
}
