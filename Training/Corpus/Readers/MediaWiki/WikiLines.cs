using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>The line-wise part of wikitext: headings, lists, rules, and the traces that removed markup leaves.</summary>
internal static class WikiLines
{
    // Linear in the length of any text; the source generator cannot make such expressions.
    private const RegexOptions Linear = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant;

    private static readonly Regex MagicWord = new(@"__\p{Lu}+__", Linear);
    private static readonly Regex EmptyParentheses = new(@"\([\s,;/:]*\)", Linear);
    private static readonly Regex EmptyListStart = new(@"\([\s,;]+", Linear);
    private static readonly Regex SpaceBeforePunctuation = new(@" ([,.;)])", Linear);

    /// <summary>Headings without a line below them are dropped: their section held a table, a gallery or links only.</summary>
    public static string Tidy(string text)
    {
        var kept = new StringBuilder(text.Length);
        var waiting = new List<(int Level, string Title)>();
        foreach (ReadOnlySpan<char> raw in text.AsSpan().EnumerateLines())
        {
            ReadOnlySpan<char> line = raw.Trim();
            if (LevelOf(line) is > 0 and int level)
            {
                waiting.RemoveAll(heading => heading.Level >= level);
                waiting.Add((level, Clean(line.Trim('='))));
                continue;
            }

            string cleaned = Clean(line.TrimStart("*#:; \t"));
            if (cleaned.Length > 0 && cleaned.AsSpan().IndexOfAnyExcept("-|.,;() ") >= 0)
            {
                waiting.ForEach(heading => kept.Append(heading.Title).Append('\n'));
                waiting.Clear();
                kept.Append(cleaned).Append('\n');
            }
        }

        return kept.ToString();
    }

    /// <summary>"== History ==" is of level 2; 0 for what is no heading.</summary>
    private static int LevelOf(ReadOnlySpan<char> line)
    {
        int level = 0;
        while (level < 6 && 2 * level + 2 < line.Length && line[level] == '=' && line[^(level + 1)] == '=')
        {
            level++;
        }

        return level;
    }

    private static string Clean(ReadOnlySpan<char> line)
    {
        string text = WebUtility.HtmlDecode(line.ToString());
        if (text.Contains("__", StringComparison.Ordinal))
        {
            text = MagicWord.Replace(text, "");
        }

        if (text.Contains('('))
        {
            text = EmptyParentheses.Replace(text, "");
            text = EmptyListStart.Replace(text, "(");
        }

        return SpaceBeforePunctuation.Replace(DocumentText.Fold(text), "$1");
    }
}
