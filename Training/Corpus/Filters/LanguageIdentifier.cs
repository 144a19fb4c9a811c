using System.Runtime.InteropServices;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// Tells the language of a text: by its script where one language has that for itself, else by the n-grams of characters (1 to 4, and
/// whole words) that are frequent in each language. Profiles come from <see cref="FrequentWords"/>, or from text of the user's.
/// </summary>
internal sealed class LanguageIdentifier
{
    private const int MaxLetters = 20_000;
    private readonly Dictionary<Script, LanguageScores> scores = [];

    private LanguageIdentifier(IEnumerable<LanguageProfile> profiles)
    {
        foreach (IGrouping<Script, LanguageProfile> group in profiles.GroupBy(profile => profile.Script))
        {
            scores[group.Key] = new LanguageScores([.. group.OrderBy(profile => profile.Language, StringComparer.Ordinal)]);
        }
    }

    /// <summary>Knows the languages of <see cref="FrequentWords"/>.</summary>
    public static LanguageIdentifier BuiltIn() => new(FrequentWords.Instance.Languages.Select(language =>
        LanguageProfile.OfWords(language, FrequentWords.Instance.Of(language))));

    /// <summary>Knows the languages of these files of text; a file's name without its ending is the language.</summary>
    /// <exception cref="PermanentException">A file has no words; the message names it.</exception>
    public static LanguageIdentifier Trained(IEnumerable<string> files) => new(files.Select(file =>
        LanguageProfile.OfText(Path.GetFileNameWithoutExtension(file), File.ReadAllText(file))
            ?? throw new PermanentException($"{file} of corpus.filters.language.profiles has no words; put text of the language there")));

    /// <summary>The likeliest language; null for a text without letters, or in a script of no known language.</summary>
    public string? Identify(string text)
    {
        Dictionary<string, int> words = WordsOf(text, out Script script);
        return scores.GetValueOrDefault(script)?.Best(words);
    }

    /// <summary>Lower-case words with their counts that are in the script which most of the text is in.</summary>
    private static Dictionary<string, int> WordsOf(string text, out Script script)
    {
        var byScript = new Dictionary<Script, Dictionary<string, int>>();
        long[] weights = new long[Enum.GetValues<Script>().Length];
        TextWords words = TextWords.Of(text);
        long letters = 0;
        for (int i = 0; i < words.Count && letters < MaxLetters; i++)
        {
            ReadOnlySpan<char> word = words[i];
            Script found = Scripts.Of(word);
            if (found == Script.None)
            {
                continue;
            }

            letters += word.Length;

            // An ideograph says about as much as a syllable or two. Latin names and commands are in text of every script, other
            // scripts hardly ever in Latin text: so they count twice.
            weights[(int)found] += found is Script.Han or Script.Kana ? 5 : found == Script.Latin ? word.Length : 2 * word.Length;
            Dictionary<string, int> counts = byScript.TryGetValue(found, out var known) ? known : byScript[found] = [];
            CollectionsMarshal.GetValueRefOrAddDefault(counts, Scripts.LowerCase(word), out _)++;
        }

        script = MainScript(weights);
        return byScript.GetValueOrDefault(script) ?? [];
    }

    /// <summary>Japanese is Han with kana in it.</summary>
    private static Script MainScript(long[] weights)
    {
        long kana = weights[(int)Script.Kana];
        long japanese = kana > 0 ? kana + weights[(int)Script.Han] : 0;
        int top = Array.IndexOf(weights, weights.Max());
        return weights[top] == 0 ? Script.None
            : japanese >= weights[top] && 20 * kana > japanese ? Script.Kana
            : (Script)top;
    }
}
