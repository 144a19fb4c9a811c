using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Json;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// A document as a line of JSON: {"id":"...","text":"...","source":"..."}, with no escapes but those that JSON demands. Written and read
/// 32 bytes at a time up to the few that matter: a general writer and parser look at each byte behind the first escape, and every line of
/// a text ends with one.
/// </summary>
internal static class DocumentLine
{
    private const int Block = 32;

    /// <summary>A text is escaped by so many bytes at a time.</summary>
    private const int Piece = 1 << 12;

    /// <summary>Bytes of the longest escape: \u001f. A UTF-16 unit takes no more either.</summary>
    private const int LongestEscape = 6;

    /// <summary>Bytes of a line beside its strings, at most.</summary>
    private const int Frame = 96;

    private static readonly SearchValues<char> Escaped = SearchValues.Create([
        .. Enumerable.Range(0, 32).Select(control => (char)control),
        '"',
        '\\',
    ]);

    private static ReadOnlySpan<byte> BeforeId => "{\"id\":\""u8;

    private static ReadOnlySpan<byte> BeforeText => "\",\"text\":\""u8;

    private static ReadOnlySpan<byte> BeforeSource => "\",\"source\":\""u8;

    private static ReadOnlySpan<byte> End => "\"}"u8;

    /// <summary>Writes the line and its line feed.</summary>
    public static void Write(Document document, IBufferWriter<byte> output)
    {
        string id = document.Line > 0 ? document.Source : document.Id;
        int strings = LongestEscape * (id.Length + document.Source.Length);
        Span<byte> line = output.GetSpan(strings + (LongestEscape * Math.Min(Piece, document.Utf8.Length)) + Frame);
        int length = Copy(BeforeId, line);
        length += Escape(id, line[length..]);
        if (document.Line > 0)
        {
            line[length++] = (byte)':';
            document.Line.TryFormat(line[length..], out int digits, default, CultureInfo.InvariantCulture);
            length += digits;
        }

        length += Copy(BeforeText, line[length..]);
        ReadOnlySpan<byte> text = document.Utf8;
        while (text.Length > Piece)
        {
            length += Escape(text[..Piece], line[length..]);
            output.Advance(length);
            text = text[Piece..];
            line = output.GetSpan(strings + (LongestEscape * Math.Min(Piece, text.Length)) + Frame);
            length = 0;
        }

        length += Escape(text, line[length..]);
        length += Copy(BeforeSource, line[length..]);
        length += Escape(document.Source, line[length..]);
        length += Copy("\"}\n"u8, line[length..]);
        output.Advance(length);
    }

    /// <summary>
    /// Finds the strings, still escaped, in a line that <see cref="Write"/> wrote, without its line feed; false: it is none.
    /// </summary>
    /// <remarks>A quote within a string stands behind a backslash, so that what is between two strings occurs nowhere else.</remarks>
    public static bool TryFind(
        ReadOnlySpan<byte> line,
        out ReadOnlySpan<byte> id,
        out ReadOnlySpan<byte> text,
        out ReadOnlySpan<byte> source
    )
    {
        id = text = source = default;
        int textAt = line.IndexOf(BeforeText);
        int sourceAt = line.LastIndexOf(BeforeSource);
        if (!line.StartsWith(BeforeId) || textAt < 0 || sourceAt < textAt + BeforeText.Length || !line.EndsWith(End))
        {
            return false;
        }

        id = line[BeforeId.Length..textAt];
        text = line[(textAt + BeforeText.Length)..sourceAt];
        source = line[(sourceAt + BeforeSource.Length)..^End.Length];
        return true;
    }

    /// <summary>The document of a line.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static Document Read(ReadOnlySpan<byte> line) =>
        TryFind(line, out var id, out var text, out var source)
            ? new Document(StringOf(id), StringOf(text), StringOf(source))
            : throw new JsonException("no document");

    /// <summary>Takes the escapes out; returns how many bytes are left.</summary>
    /// <param name="escaped">A JSON string without its quotes, as <see cref="Write"/> writes it.</param>
    /// <param name="output">At least as long.</param>
    /// <exception cref="JsonException">An escape that is none.</exception>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> output)
    {
        int length = 0;
        int position = 0;
        while (position < escaped.Length)
        {
            int plain = CopyUntil(escaped[position..], output[length..], Vector256.Create((byte)'\\'), Vector256<byte>.Zero);
            position += plain;
            length += plain;
            if (position < escaped.Length)
            {
                position += EscapeAt(escaped[position..], out output[length]);
                length++;
            }
        }

        return length;
    }

    private static int EscapeAt(ReadOnlySpan<byte> escape, out byte value)
    {
        value = escape.Length > 1 ? escape[1] : (byte)0;
        if (value is (byte)'n' or (byte)'"' or (byte)'\\')
        {
            value = value == (byte)'n' ? (byte)'\n' : value;
            return 2;
        }

        bool isControl =
            escape.StartsWith("\\u00"u8)
            && escape.Length >= 6
            && byte.TryParse(escape[4..6], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        return isControl ? 6 : throw new JsonException("an escape that is none");
    }

    private static string StringOf(ReadOnlySpan<byte> escaped)
    {
        if (!escaped.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(escaped);
        }

        byte[] bytes = ArrayPool<byte>.Shared.Rent(escaped.Length);
        try
        {
            return Encoding.UTF8.GetString(bytes, 0, Unescape(escaped, bytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static int Copy(ReadOnlySpan<byte> bytes, Span<byte> output)
    {
        bytes.CopyTo(output);
        return bytes.Length;
    }

    private static int Escape(string value, Span<byte> output)
    {
        if (!value.AsSpan().ContainsAny(Escaped))
        {
            return Encoding.UTF8.GetBytes(value, output);
        }

        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(value.Length));
        int length = Escape(bytes.AsSpan(0, Encoding.UTF8.GetBytes(value, bytes)), output);
        ArrayPool<byte>.Shared.Return(bytes);
        return length;
    }

    /// <summary>Escapes text into <paramref name="output"/>, which has room for an escape a byte; returns the bytes written.</summary>
    private static int Escape(ReadOnlySpan<byte> text, Span<byte> output)
    {
        int length = 0;
        int position = 0;
        while (position < text.Length)
        {
            int plain = CopyUntil(text[position..], output[length..], Vector256.Create((byte)'\\'), Vector256.Create((byte)32));
            position += plain;
            length += plain;
            if (position < text.Length)
            {
                length += WriteEscape(text[position++], output[length..]);
            }
        }

        return length;
    }

    /// <summary>
    /// Copies bytes until one is <paramref name="stop"/> or below <paramref name="lowest"/>, or, if there is a lowest, a quote; returns how
    /// many. What stands in <paramref name="output"/> behind them is not kept.
    /// </summary>
    private static int CopyUntil(ReadOnlySpan<byte> text, Span<byte> output, Vector256<byte> stop, Vector256<byte> lowest)
    {
        int position = 0;
        Vector256<byte> quote = lowest == Vector256<byte>.Zero ? stop : Vector256.Create((byte)'"');
        for (; position <= text.Length - Block; position += Block)
        {
            Vector256<byte> block = Vector256.Create(text[position..]);
            block.CopyTo(output[position..]);
            Vector256<byte> found = Vector256.Equals(block, stop) | Vector256.Equals(block, quote) | Vector256.LessThan(block, lowest);
            if (found != Vector256<byte>.Zero)
            {
                return position + BitOperations.TrailingZeroCount(found.ExtractMostSignificantBits());
            }
        }

        ReadOnlySpan<byte> rest = text[position..];
        rest.CopyTo(output[position..]);
        int end = rest.IndexOfAny(stop[0], quote[0]);
        rest = end < 0 ? rest : rest[..end];
        end = lowest == Vector256<byte>.Zero ? -1 : rest.IndexOfAnyInRange((byte)0, (byte)(lowest[0] - 1));
        return position + (end < 0 ? rest.Length : end);
    }

    private static int WriteEscape(byte value, Span<byte> output)
    {
        output[0] = (byte)'\\';
        output[1] = value == (byte)'\n' ? (byte)'n' : value;
        if (value is (byte)'\n' or (byte)'"' or (byte)'\\')
        {
            return 2;
        }

        Encoding.ASCII.GetBytes($"u{value:x4}", output[1..]);
        return LongestEscape;
    }
}
