namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>Cuts a paragraph of English into sentences by punctuation.</summary>
/// <remarks>
/// A sentence ends at '.', '!' or '?' (and quotes or brackets that close there) before white space and a character that can begin
/// a sentence: not a lower-case letter. Not after usual abbreviations ("e.g.", "vs.") and single initials ("J. Smith").
/// </remarks>
internal static class SentenceSplitter
{
    private static readonly HashSet<string> Abbreviations = new(StringComparer.OrdinalIgnoreCase)
    {
        "e.g",
        "i.e",
        "etc",
        "vs",
        "cf",
        "approx",
        "fig",
        "sec",
        "no",
        "nos",
        "vol",
        "pp",
        "ed",
        "eds",
        "dr",
        "mr",
        "mrs",
        "ms",
        "st",
        "jr",
        "sr",
        "inc",
        "ltd",
        "co",
        "corp",
        "dept",
        "est",
        "al",
        "ver",
        "incl",
        "resp",
    };

    /// <summary>The sentences of a paragraph whose white space is folded, in order, none empty.</summary>
    public static IEnumerable<string> Split(string paragraph)
    {
        int start = 0;
        for (int i = 0; i < paragraph.Length; i++)
        {
            if (paragraph[i] is not ('.' or '!' or '?'))
            {
                continue;
            }

            int end = i + 1;
            while (end < paragraph.Length && paragraph[end] is '.' or '!' or '?' or '"' or '\'' or ')' or ']' or '\u201D' or '\u2019')
            {
                end++;
            }

            if (
                end < paragraph.Length - 1
                && paragraph[end] == ' '
                && Begins(paragraph[end + 1])
                && (end > i + 1 || !Abbreviates(paragraph, start, i))
            )
            {
                yield return paragraph[start..end];
                start = end + 1;
            }

            i = end - 1;
        }

        if (start < paragraph.Length)
        {
            yield return paragraph[start..];
        }
    }

    private static bool Begins(char character) =>
        !char.IsLower(character) && !(char.IsPunctuation(character) && character is ',' or ';' or ':');

    private static bool Abbreviates(string paragraph, int start, int stop)
    {
        if (paragraph[stop] != '.')
        {
            return false;
        }

        int word = stop;
        while (word > start && paragraph[word - 1] is not (' ' or '('))
        {
            word--;
        }

        string last = paragraph[word..stop];
        return last.Length == 1 && char.IsUpper(last[0]) && last[0] != 'I' || Abbreviations.Contains(last);
    }
}
