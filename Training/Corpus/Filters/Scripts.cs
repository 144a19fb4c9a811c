namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>Writing systems that tell languages apart.</summary>
internal enum Script
{
    None,
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Arabic,
    Devanagari,
    Thai,
    Hangul,
    Kana,
    Han,
}

/// <summary>Finds the script of words by the blocks of Unicode.</summary>
internal static class Scripts
{
    /// <summary>Scripts, none included.</summary>
    public const int Count = (int)Script.Han + 1;

    /// <summary>The script of the first letter; none for digits and for scripts that are not listed.</summary>
    public static Script Of(ReadOnlySpan<char> word)
    {
        foreach (char character in word)
        {
            if (Of(character) is not Script.None and Script script)
            {
                return script;
            }
        }

        return Script.None;
    }

    /// <summary>The word in the form that profiles know it in.</summary>
    public static string LowerCase(ReadOnlySpan<char> word) => word.ToString().ToLowerInvariant().Replace('’', '\'');

    private static Script Of(char character) =>
        character switch
        {
            (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') => Script.Latin,
            >= '\u00C0' and <= '\u024F' and not '×' and not '÷' => Script.Latin,
            >= '\u1E00' and <= '\u1EFF' => Script.Latin,
            >= '\u0370' and <= '\u03FF' => Script.Greek,
            >= '\u0400' and <= '\u052F' => Script.Cyrillic,
            >= '\u0591' and <= '\u05FF' => Script.Hebrew,
            >= '\u0620' and <= '\u06FF' when char.IsLetter(character) => Script.Arabic,
            >= '\u0904' and <= '\u097F' => Script.Devanagari,
            >= '\u0E01' and <= '\u0E5B' => Script.Thai,
            (>= '\uAC00' and <= '\uD7A3') or (>= '\u1100' and <= '\u11FF') => Script.Hangul,
            >= '\u3041' and <= '\u30FF' => Script.Kana,
            (>= '\u4E00' and <= '\u9FFF') or (>= '\u3400' and <= '\u4DBF') or (>= '\uD840' and <= '\uD888') => Script.Han,
            _ => Script.None,
        };
}
