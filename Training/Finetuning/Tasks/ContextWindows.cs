using System.Globalization;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>
/// Part of a text behind a question, [CLS] question [SEP] part [SEP], as long texts are cut. The loss wants one first and one last token.
/// </summary>
/// <param name="Ids">Token ids.</param>
/// <param name="SecondSegment">Index of the part's first token.</param>
/// <param name="Question">Which question it belongs to.</param>
/// <param name="Start">Index of the answer's first token; 0 ([CLS]): the answer is not in this part.</param>
/// <param name="End">Index of its last token.</param>
/// <param name="Pieces">Where each of the part's tokens comes from in the context.</param>
/// <param name="Widest">Whether the part shows more of a token's surroundings than the other parts that have it.</param>
internal sealed record WindowExample(
    int[] Ids,
    int SecondSegment,
    int Question,
    int Start,
    int End,
    (int Start, int End)[] Pieces,
    bool[] Widest
) : EncodedExample(Ids, SecondSegment, Truncated: false);

/// <summary>Cuts texts into overlapping parts that fit behind their questions, and finds the answers in them.</summary>
internal sealed class ContextWindows(ITokenizer tokenizer, int maxLength, int stride)
{
    private const int LongestQuestion = 64;

    // Several questions are asked of one text.
    private readonly Dictionary<string, List<(int Id, int Start, int End)>> tokensOf = new(StringComparer.Ordinal);

    /// <summary>The parts of a question's text.</summary>
    public IEnumerable<WindowExample> Of(SpanQuestion question, int number)
    {
        List<int> asked = [];
        tokenizer.Encode(question.Question, asked);
        int kept = Math.Min(LongestQuestion, (maxLength - 3) / 2);
        int[] head = [tokenizer.Vocabulary.ClassifierId, .. asked.Take(kept), tokenizer.Vocabulary.SeparatorId];
        if (!tokensOf.TryGetValue(question.Context, out List<(int Id, int Start, int End)>? tokens))
        {
            tokensOf.Add(question.Context, tokens = Tokens(question.Context));
        }

        (int First, int Last) answer = Find(tokens, question.Answers);
        int room = maxLength - head.Length - 1;
        List<(int Start, int Length)> parts = Parts(tokens.Count, room);
        foreach ((int start, int length) in parts)
        {
            bool holds = answer.First >= start && answer.Last < start + length && answer.First >= 0;
            yield return new WindowExample(
                [.. head, .. tokens.GetRange(start, length).Select(token => token.Id), tokenizer.Vocabulary.SeparatorId],
                head.Length,
                number,
                holds ? head.Length + answer.First - start : 0,
                holds ? head.Length + answer.Last - start : 0,
                [.. tokens.GetRange(start, length).Select(token => (token.Start, token.End))],
                [.. Enumerable.Range(start, length).Select(token => parts.MaxBy(part => Surroundings(part, token)) == (start, length))]
            );
        }
    }

    private List<(int Start, int Length)> Parts(int tokens, int room)
    {
        List<(int Start, int Length)> parts = [];
        for (int start = 0; ; start += Math.Min(stride, room))
        {
            int length = Math.Min(room, tokens - start);
            parts.Add((start, length));
            if (start + length >= tokens)
            {
                return parts;
            }
        }
    }

    private static double Surroundings((int Start, int Length) part, int token) =>
        token < part.Start || token >= part.Start + part.Length
            ? -1
            : Math.Min(token - part.Start, part.Start + part.Length - 1 - token) + (0.01 * part.Length);

    private static (int First, int Last) Find(List<(int Id, int Start, int End)> tokens, IReadOnlyList<SpanAnswer> answers)
    {
        if (answers.FirstOrDefault(answer => answer.Start >= 0) is not { } found)
        {
            return (-1, -1);
        }

        int end = found.Start + found.Text.Length;
        int first = tokens.FindIndex(token => token.End > found.Start),
            last = tokens.FindLastIndex(token => token.Start < end);
        return first <= last ? (first, last) : (-1, -1);
    }

    /// <summary>
    /// Tokens with their places: each run of letters, and each mark or ideograph, is encoded by itself, so that places are exact.
    /// </summary>
    private List<(int Id, int Start, int End)> Tokens(string context)
    {
        List<(int Id, int Start, int End)> tokens = [];
        List<int> ids = [];
        foreach ((int start, int end) in Pieces(context))
        {
            ids.Clear();
            tokenizer.Encode(context[start..end], ids);
            tokens.AddRange(ids.Select(id => (id, start, end)));
        }

        return tokens;
    }

    private static IEnumerable<(int Start, int End)> Pieces(string context)
    {
        int start = 0;
        for (int i = 0; i < context.Length; )
        {
            int length = char.IsSurrogatePair(context, i) ? 2 : 1;
            bool isSpace = char.IsWhiteSpace(context[i]),
                isAlone = StandsAlone(context, i);
            if ((isSpace || isAlone) && start < i)
            {
                yield return (start, i);
            }

            if (isAlone)
            {
                yield return (i, i + length);
            }

            i += length;
            start = isSpace || isAlone ? i : start;
        }

        if (start < context.Length)
        {
            yield return (start, context.Length);
        }
    }

    private static bool StandsAlone(string context, int i) =>
        CharUnicodeInfo.GetUnicodeCategory(context, i) switch
        {
            UnicodeCategory.OtherLetter => context[i] is >= '\u3400' and <= '\u9FFF' or >= '\uF900' and <= '\uFAFF'
                || char.IsHighSurrogate(context[i]),
            UnicodeCategory.ConnectorPunctuation
            or UnicodeCategory.DashPunctuation
            or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation
            or UnicodeCategory.OtherPunctuation => true,
            UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol => context[i] < '\u007F',
            _ => false,
        };
}
