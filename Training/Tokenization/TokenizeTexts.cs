using System.Buffers;
using System.Buffers.Text;
using System.Runtime.ExceptionServices;
using System.Text.Json;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>Tokenizes a stream of texts, one a line, into JSON lines {"ids":[...]} in the same order.</summary>
public static class TokenizeTexts
{
    /// <summary>Pieces of lines that may be done before an earlier one.</summary>
    private const int PiecesAhead = 16;

    /// <summary>A number of ten digits, and a comma.</summary>
    private const int IdBytes = 11;

    /// <summary>
    /// Reads texts from <paramref name="input"/>: lines of UTF-8, or with <paramref name="jsonField"/> JSON objects whose field of that
    /// name is the text. <paramref name="addSpecial"/> puts [CLS] before and [SEP] behind each. Returns the number of texts.
    /// <paramref name="threads"/> do not change the output.
    /// </summary>
    /// <exception cref="PermanentException">
    /// A line is not a JSON object with that field as a string; the message names the line. What stands before it was written.
    /// </exception>
    public static long Run(
        ITokenizer tokenizer,
        Stream input,
        Stream output,
        string? jsonField,
        bool addSpecial,
        int threads,
        CancellationToken cancellationToken = default
    )
    {
        var pieces = new LinePieces(input);
        long texts = 0;
        var results = new OrderedOutput<Result>(
            () => new Result(),
            result =>
            {
                output.Write(result.Lines.WrittenSpan);
                texts += result.Texts;
                result.Failure?.Throw();
                result.Clear();
            },
            PiecesAhead
        );
        ParallelWork.For(
            threads,
            threads,
            _ =>
            {
                var ids = new List<int>();
                results.Work(
                    pieces.Next,
                    (LinePiece piece, Result result) => Tokenize(tokenizer, piece, jsonField, addSpecial, ids, result),
                    cancellationToken
                );
            }
        );
        return texts;
    }

    private static void Tokenize(ITokenizer tokenizer, LinePiece piece, string? jsonField, bool addSpecial, List<int> ids, Result result)
    {
        try
        {
            ReadOnlyMemory<byte> rest = piece.Text;
            while (LinePieces.TryTakeLine(ref rest, out ReadOnlyMemory<byte> line))
            {
                ids.Clear();
                if (addSpecial)
                {
                    ids.Add(tokenizer.Vocabulary.ClassifierId);
                }

                if (jsonField is null)
                {
                    tokenizer.Encode(line.Span, ids);
                }
                else
                {
                    tokenizer.Encode(TextOf(line, jsonField, piece.LinesBefore + result.Texts + 1), ids);
                }

                if (addSpecial)
                {
                    ids.Add(tokenizer.Vocabulary.SeparatorId);
                }

                Write(ids, result.Lines);
                result.Texts++;
            }
        }
        catch (PermanentException fault)
        {
            // Another thread may have found a fault in an earlier piece: the first in order is the one to tell.
            result.Failure = ExceptionDispatchInfo.Capture(fault);
        }
    }

    private static void Write(List<int> ids, ArrayBufferWriter<byte> lines)
    {
        ReadOnlySpan<byte> start = "{\"ids\":["u8,
            end = "]}\n"u8;
        Span<byte> room = lines.GetSpan(start.Length + (IdBytes * ids.Count) + end.Length);
        start.CopyTo(room);
        int length = start.Length;
        foreach (int id in ids)
        {
            _ = Utf8Formatter.TryFormat(id, room[length..], out int digits);
            length += digits;
            room[length++] = (byte)',';
        }

        length -= ids.Count > 0 ? 1 : 0;
        end.CopyTo(room[length..]);
        lines.Advance(length + end.Length);
    }

    private static string TextOf(ReadOnlyMemory<byte> line, string field, long number)
    {
        try
        {
            using JsonDocument record = JsonDocument.Parse(line);
            if (
                record.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty(field, out JsonElement text)
                && text.ValueKind == JsonValueKind.String
            )
            {
                return text.GetString()!;
            }

            string found =
                record.RootElement.ValueKind == JsonValueKind.Object
                    ? string.Join(", ", record.RootElement.EnumerateObject().Select(property => $"\"{property.Name}\""))
                    : record.RootElement.ValueKind.ToString();
            throw new PermanentException($"input line {number}: no text in a field \"{field}\"; found: {found}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new PermanentException($"input line {number} is not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>What is made of a piece.</summary>
    private sealed class Result
    {
        public ArrayBufferWriter<byte> Lines { get; } = new();

        public int Texts { get; set; }

        /// <summary>Why it ends here.</summary>
        public ExceptionDispatchInfo? Failure { get; set; }

        public void Clear()
        {
            Lines.ResetWrittenCount();
            Texts = 0;
        }
    }
}
