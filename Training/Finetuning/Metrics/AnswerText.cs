using System.Globalization;
using System.Text;

namespace ElectraPipeline.Training.Finetuning.Metrics;

/// <summary>
/// The words of an answer as SQuAD's official scripts compare them: lower case, without ASCII punctuation and English articles. It is
/// written out because .NET's lower case, word boundaries and white space differ from Python's, whose results are the published ones.
/// </summary>
internal static class AnswerText
{
    private const int CapitalSigma = 0x3A3;
    private const int CapitalDottedI = 0x130;
    private const string IgnoredBetweenLetters = "'.:·\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

    /// <summary>The words that count.</summary>
    public static string[] WordsOf(string answer)
    {
        StringBuilder kept = new();
        foreach (Rune rune in LowerCase(answer).EnumerateRunes().Where(rune => !IsAsciiPunctuation(rune)))
        {
            kept.Append(rune);
        }

        return Split(WithoutArticles(kept.ToString()));
    }

    private static string LowerCase(string text)
    {
        Rune[] runes = [.. text.EnumerateRunes()];
        StringBuilder lower = new(text.Length);
        for (int i = 0; i < runes.Length; i++)
        {
            _ = runes[i].Value switch
            {
                CapitalDottedI => lower.Append("i\u0307"),
                CapitalSigma => lower.Append(IsFinal(runes, i) ? 'ς' : 'σ'),
                _ => lower.Append(Rune.ToLowerInvariant(runes[i])),
            };
        }

        return lower.ToString();
    }

    // Unicode's Final_Sigma: a letter with case before it and none behind, marks and the like in between not counted.
    private static bool IsFinal(Rune[] runes, int at) =>
        runes.Take(at).Reverse().SkipWhile(IsCaseIgnorable).Take(1).Any(IsCased)
        && !runes.Skip(at + 1).SkipWhile(IsCaseIgnorable).Take(1).Any(IsCased);

    private static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.UppercaseLetter
                or UnicodeCategory.LowercaseLetter
                or UnicodeCategory.TitlecaseLetter;

    private static bool IsCaseIgnorable(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol
        || (rune.IsBmp && IgnoredBetweenLetters.Contains((char)rune.Value));

    private static bool IsAsciiPunctuation(Rune rune) =>
        rune.IsAscii && !char.IsAsciiLetterOrDigit((char)rune.Value) && rune.Value is > ' ' and < 0x7F;

    // An article stands between two word boundaries, so it is a whole run of word characters.
    private static string WithoutArticles(string text)
    {
        StringBuilder kept = new(),
            run = new();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (IsOfWord(rune))
            {
                run.Append(rune);
                continue;
            }

            EndRun();
            kept.Append(rune);
        }

        EndRun();
        return kept.ToString();

        void EndRun()
        {
            string word = run.ToString();
            kept.Append(word is "a" or "an" or "the" ? " " : word);
            run.Clear();
        }
    }

    private static bool IsOfWord(Rune rune) =>
        rune.Value == '_'
        || Rune.IsLetter(rune)
        || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.LetterNumber
                or UnicodeCategory.OtherNumber;

    private static string[] Split(string text)
    {
        StringBuilder spaced = new(text);
        for (int i = 0; i < spaced.Length; i++)
        {
            if (char.IsWhiteSpace(spaced[i]) || spaced[i] is >= '\u001C' and <= '\u001F')
            {
                spaced[i] = ' ';
            }
        }

        return spaced.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
