using System.Text.Json;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>An answer in a text.</summary>
/// <param name="Text">The answer.</param>
/// <param name="Start">
/// Where it starts in the context, in UTF-16 units; -1: the file's place is wrong, so that nothing can be learned from it.
/// </param>
internal sealed record SpanAnswer(string Text, int Start);

/// <summary>A question about a text.</summary>
/// <param name="Context">The text.</param>
/// <param name="Question">The question.</param>
/// <param name="Answers">Its answers; none: the text does not answer it.</param>
internal sealed record SpanQuestion(string Context, string Question, IReadOnlyList<SpanAnswer> Answers);

/// <summary>Questions in the form of SQuAD 1.1 and 2.0 (and the sets of other languages that took it over).</summary>
internal static class SquadFile
{
    /// <summary>The questions of a .json file (or one with .gz behind it), in its order.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sha256">Its digest; null: any.</param>
    /// <exception cref="PermanentException">The file is missing, not JSON, or not of the form.</exception>
    public static IReadOnlyList<SpanQuestion> Read(string path, string? sha256 = null)
    {
        byte[] content = TaskFile.ReadBytes(path, sha256);
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            SpanQuestion[] questions =
            [
                .. document
                    .RootElement.GetProperty("data")
                    .EnumerateArray()
                    .SelectMany(article => article.GetProperty("paragraphs").EnumerateArray())
                    .SelectMany(Questions),
            ];
            return questions.Length > 0 ? questions : throw new PermanentException($"{path}: the file holds no question");
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new PermanentException(
                $"{path}: not of SQuAD's form (data > paragraphs > context, qas > question, answers): {fault.Message}",
                fault
            );
        }
    }

    private static IEnumerable<SpanQuestion> Questions(JsonElement paragraph)
    {
        string context = paragraph.GetProperty("context").GetString()!;
        int[] places = [.. PlacesOfCodePoints(context)];
        return
        [
            .. paragraph
                .GetProperty("qas")
                .EnumerateArray()
                .Select(item => new SpanQuestion(
                    context,
                    item.GetProperty("question").GetString()!,
                    [.. item.GetProperty("answers").EnumerateArray().Select(answer => Answer(answer, context, places))]
                )),
        ];
    }

    private static SpanAnswer Answer(JsonElement answer, string context, int[] places)
    {
        string text = answer.GetProperty("text").GetString()!;
        JsonElement stated = answer.GetProperty("answer_start"); // some sets write it as a text
        bool isNumber =
            stated.ValueKind == JsonValueKind.String ? int.TryParse(stated.GetString(), out int place) : stated.TryGetInt32(out place);
        int start = isNumber && place >= 0 && place < places.Length ? places[place] : -1;
        bool isThere = start >= 0 && text.Length > 0 && context.AsSpan(start).StartsWith(text, StringComparison.Ordinal);
        return new SpanAnswer(text, isThere ? start : -1);
    }

    // The format counts code points.
    private static IEnumerable<int> PlacesOfCodePoints(string context)
    {
        for (int i = 0; i < context.Length; i += char.IsHighSurrogate(context[i]) && i + 1 < context.Length ? 2 : 1)
        {
            yield return i;
        }
    }
}
