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
    public static LanguageIdentifier BuiltIn() =>
        new(FrequentWords.Instance.Languages.Select(language => LanguageProfile.OfWords(language, FrequentWords.Instance.Of(language))));

    /// <summary>Knows the languages of these files of text; a file's name without its ending is the language.</summary>
    /// <exception cref="PermanentException">A file has no words; the message names it.</exception>
    public static LanguageIdentifier Trained(IEnumerable<SourceFile> files) =>
        new(
            files.Select(file =>
                LanguageProfile.OfText(Path.GetFileNameWithoutExtension(file.Path), TextOf(file))
                ?? throw new PermanentException(
                    $"{file.Path} of corpus.filters.language.profiles has no words; put text of the language there"
                )
            )
        );

    private static string TextOf(SourceFile file)
    {
        using StreamReader text = file.OpenText();
        return text.ReadToEnd();
    }

    /// <summary>The likeliest language; null for a text without letters, or in a script of no known language.</summary>
    public string? Identify(string text)
    {
        TextWords words = TextWords.Of(text);
        return Identify(words, 0, words.Count);
    }

    /// <summary>The same of the words from <paramref name="first"/> to before <paramref name="last"/>.</summary>
    public string? Identify(TextWords words, int first, int last)
    {
        Script script = ScriptOf(words, first, ref last);
        return scores.GetValueOrDefault(script)?.Best(words, first, last, script);
    }

    /// <summary>The script which most of the words are in; sets <paramref name="last"/> behind the words that it looked at.</summary>
    private static Script ScriptOf(TextWords words, int first, ref int last)
    {
        Span<long> weights = stackalloc long[Scripts.Count];
        weights.Clear();
        long letters = 0;
        for (int i = first; i < last; i++)
        {
            if (letters >= MaxLetters)
            {
                last = i;
                break;
            }

            ReadOnlySpan<char> word = words[i];
            Script found = Scripts.Of(word);
            if (found == Script.None)
            {
                continue;
            }

            letters += word.Length;

            // An ideograph says about as much as a syllable or two. Latin names and commands are in text of every script, other
            // scripts hardly ever in Latin text: so they count twice.
            weights[(int)found] +=
                found is Script.Han or Script.Kana ? 5
                : found == Script.Latin ? word.Length
                : 2 * word.Length;
        }

        return MainScript(weights);
    }

    /// <summary>Japanese is Han with kana in it.</summary>
    private static Script MainScript(ReadOnlySpan<long> weights)
    {
        long kana = weights[(int)Script.Kana];
        long japanese = kana > 0 ? kana + weights[(int)Script.Han] : 0;
        int top = 0;
        for (int script = 1; script < weights.Length; script++)
        {
            top = weights[script] > weights[top] ? script : top;
        }

        return weights[top] == 0 ? Script.None
            : japanese >= weights[top] && 20 * kana > japanese ? Script.Kana
            : (Script)top;
    }
}
