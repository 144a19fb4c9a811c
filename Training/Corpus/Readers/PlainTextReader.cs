using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ElectraPipeline.Training.Corpus.Readers;

/// <summary>
/// Plain text, UTF-8 or UTF-16 with a byte-order mark: a line is a sentence, a blank line ends a document (option).
/// </summary>
/// <remarks>
/// A document with a line that is not UTF-8, holds a NUL or is longer than 64 MiB is rejected whole: a text with holes is none.
/// </remarks>
internal sealed class PlainTextReader : IDocumentReader
{
    private static readonly SearchValues<byte> Controls = SearchValues.Create([
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        14,
        15,
        16,
        17,
        18,
        19,
        20,
        21,
        22,
        23,
        24,
        25,
        28,
        29,
        30,
        31,
    ]);

    public string Format => "text";

    public IReadOnlyList<string> Extensions { get; } = [".txt", ".text"];

    /// <summary>
    /// No control characters but white space and escape sequences: an encoding that cannot be read is told by line later.
    /// </summary>
    public Recognition Recognize(ReadOnlySpan<byte> head) => head.IndexOfAny(Controls) < 0 ? Recognition.Possible : Recognition.No;

    public IEnumerable<ReadRecord> Read(SourceContent content, CorpusOptions options)
    {
        (Stream stream, int mark) = content.OpenText();
        var reader = new LineReader(stream, mark);
        var text = new DocumentTextBuffer();
        var arena = new Utf8Arena();
        long firstLine = 0;
        Reject? fault = null;
        while (reader.Read())
        {
            bool blank = !reader.Overlong && DocumentTextBuffer.Trim(reader.Line.Span).IsEmpty;
            if (blank ? options.BlankLineEndsDocument : text.Length >= options.MaxDocumentBytes)
            {
                if (firstLine > 0)
                {
                    yield return Finish(content, text, arena, firstLine, fault);
                    (firstLine, fault) = (0, null);
                }
            }

            if (!blank)
            {
                firstLine = firstLine == 0 ? reader.Number : firstLine;
                if (fault is null && (reader.Overlong || text.Append(DocumentTextBuffer.Trim(reader.Line.Span)) is not null))
                {
                    fault = FaultOf(content, reader);
                }
            }
        }

        if (firstLine > 0)
        {
            yield return Finish(content, text, arena, firstLine, fault);
        }
    }

    private static ReadRecord Finish(SourceContent content, DocumentTextBuffer text, Utf8Arena arena, long firstLine, Reject? fault)
    {
        ReadRecord record = fault is not null ? fault : new Document(content.Name, firstLine, arena.Keep(text.Text));
        text.Clear();
        return record;
    }

    /// <summary>What is wrong with a line that could not be added to a text, and where.</summary>
    private static Reject FaultOf(SourceContent content, LineReader reader)
    {
        ReadOnlySpan<byte> line = reader.Line.Span;
        if (reader.Overlong)
        {
            return new Reject("line-too-long", content.Name, reader.Number, reader.Offset, "more than 64 MiB without a line feed");
        }

        int nul = line.IndexOf((byte)0);
        if (nul >= 0)
        {
            return new Reject("nul-byte", content.Name, reader.Number, reader.Offset + nul, "a NUL byte; is this file text?");
        }

        int at = Utf8Fault(line) ?? throw new InvalidOperationException($"{content.Name}, line {reader.Number}: refused without a fault");
        return new Reject(
            "invalid-utf8",
            content.Name,
            reader.Number,
            reader.Offset + at,
            $"byte 0x{line[at]:X2} does not belong to UTF-8 text"
        );
    }

    /// <summary>The position of the first byte that is not UTF-8; null if all are.</summary>
    internal static int? Utf8Fault(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return null;
        }

        int position = 0;
        while (Rune.DecodeFromUtf8(bytes[position..], out _, out int consumed) == OperationStatus.Done)
        {
            position += consumed;
        }

        return position;
    }
}
