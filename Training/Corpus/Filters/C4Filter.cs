using System.Buffers;
using System.Text;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// The rules of C4: first documents that are no prose at all, then lines that are no sentences, then documents that too little is
/// left of. Its list of bad words is left out. Marks that end sentences are those of many scripts.
/// </summary>
internal sealed class C4Filter(C4Options options) : IDocumentFilter
{
    private const string ClosingMarks = "\"'”’»«›)]）」』";
    private static readonly SearchValues<char> SentenceEnds = SearchValues.Create(".!?。！？｡؟۔।॥։።…");
    private static readonly SearchValues<char> Closing = SearchValues.Create(ClosingMarks);

    private static readonly SearchValues<string> PolicyWords = SearchValues.Create(
        ["javascript", "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"],
        StringComparison.OrdinalIgnoreCase
    );

    public string Name => "c4";

    public FilterVerdict Judge(FilteredDocument document)
    {
        string text = document.Text;
        if (options.RemoveLoremIpsum && text.IndexOf("lorem ipsum", StringComparison.OrdinalIgnoreCase) is >= 0 and int lorem)
        {
            return FilterVerdict.Remove("lorem-ipsum", Around(text, lorem));
        }

        if (options.RemoveCurlyBraces && text.IndexOfAny('{', '}') is >= 0 and int brace)
        {
            return FilterVerdict.Remove("curly-brace", Around(text, brace));
        }

        var kept = new StringBuilder();
        var removed = new List<RemovedLine>();
        int sentences = 0;
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (FaultOf(line) is { } reason)
            {
                removed.Add(new RemovedLine(reason, line.ToString()));
                continue;
            }

            sentences += SentencesIn(line);
            kept.Append(line).Append('\n');
        }

        return sentences < options.MinSentences
                ? FilterVerdict.Remove(
                    "too-few-sentences",
                    $"{sentences} when {removed.Count} lines are gone, at least {options.MinSentences}"
                )
            : removed.Count == 0 ? FilterVerdict.Keep
            : FilterVerdict.Shorten(DocumentText.Finish(kept), removed);
    }

    private string? FaultOf(ReadOnlySpan<char> line)
    {
        if (options.RequireTerminalPunctuation && !EndsSentence(line))
        {
            return "no-terminal-punctuation";
        }

        if (options.RemovePolicyLines && line.IndexOfAny(PolicyWords) >= 0)
        {
            return "policy-line";
        }

        (int words, int longest) = SpacedWords(line);
        return longest > options.MaxWordLength ? "word-too-long"
            : words < options.MinWordsPerLine && !HasUnspacedLetter(line) ? "too-few-words"
            : null;
    }

    /// <summary>Whether the last mark, quotes and brackets behind it apart, ends a sentence; an ellipsis does not.</summary>
    private static bool EndsSentence(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> open = line.TrimEnd(ClosingMarks);
        return !open.IsEmpty && SentenceEnds.Contains(open[^1]) && open[^1] != '…' && !open.EndsWith("...");
    }

    /// <summary>Runs of marks that end a sentence with a space, a closing mark or nothing behind; a line has one at least.</summary>
    private static int SentencesIn(ReadOnlySpan<char> line)
    {
        int sentences = 0;
        for (int i = 0; i < line.Length; i++)
        {
            bool ends = SentenceEnds.Contains(line[i]);
            bool last = i + 1 == line.Length || !SentenceEnds.Contains(line[i + 1]);
            bool open = i + 1 == line.Length || char.IsWhiteSpace(line[i + 1]) || Closing.Contains(line[i + 1]) || line[i] >= 0x3000;
            sentences += ends && last && open ? 1 : 0;
        }

        return Math.Max(1, sentences);
    }

    private static (int Words, int Longest) SpacedWords(ReadOnlySpan<char> line)
    {
        int words = 0;
        int longest = 0;
        foreach (Range range in line.SplitAny(" \t"))
        {
            int length = line[range].Length;
            words += length > 0 ? 1 : 0;
            longest = Math.Max(longest, length);
        }

        return (words, longest);
    }

    private static bool HasUnspacedLetter(ReadOnlySpan<char> line)
    {
        foreach (char character in line)
        {
            if (TextWords.IsUnspacedLetter(character))
            {
                return true;
            }
        }

        return false;
    }

    private static string Around(string text, int position) =>
        $"at character {position}: {FilterLedger.Excerpt(text.AsSpan(Math.Max(0, position - 20)), 60)}";
}
