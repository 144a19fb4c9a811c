using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// A document as a line of JSON: {"id":"...","text":"...","source":"..."}, with no escapes but those that JSON demands. Written and read
/// by searching for the few bytes that matter: a general writer and parser look at each byte behind the first escape, and
/// every line of a text ends with one.
/// </summary>
internal static class DocumentLine
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([.. Enumerable.Range(0, 32).Select(code => (byte)code), (byte)'"', (byte)'\\']);

    private static ReadOnlySpan<byte> BeforeId => "{\"id\":\""u8;

    private static ReadOnlySpan<byte> BeforeText => "\",\"text\":\""u8;

    private static ReadOnlySpan<byte> BeforeSource => "\",\"source\":\""u8;

    private static ReadOnlySpan<byte> End => "\"}"u8;

    /// <summary>Writes the line and its line feed.</summary>
    public static void Write(Document document, IBufferWriter<byte> output)
    {
        output.Write(BeforeId);
        WriteEscaped(document.Id, output);
        output.Write(BeforeText);
        WriteEscaped(document.Text, output);
        output.Write(BeforeSource);
        WriteEscaped(document.Source, output);
        output.Write(End);
        output.Write("\n"u8);
    }

    /// <summary>Finds the strings, still escaped, in a line that <see cref="Write"/> wrote, without its line feed; false: it is none.</summary>
    /// <remarks>A quote within a string stands behind a backslash, so that what is between two strings occurs nowhere else.</remarks>
    public static bool TryFind(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> id, out ReadOnlySpan<byte> text, out ReadOnlySpan<byte> source)
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
    public static Document Read(ReadOnlySpan<byte> line) => TryFind(line, out var id, out var text, out var source)
        ? new Document(StringOf(id), StringOf(text), StringOf(source))
        : throw new JsonException("no document");

    /// <summary>Takes the escapes out; returns how many bytes are left.</summary>
    /// <param name="escaped">A JSON string without its quotes, as <see cref="Write"/> writes it.</param>
    /// <param name="output">At least as long.</param>
    /// <exception cref="JsonException">An escape that is none.</exception>
    public static int Unescape(ReadOnlySpan<byte> escaped, Span<byte> output)
    {
        int length = 0;
        while (escaped.IndexOf((byte)'\\') is >= 0 and int at)
        {
            escaped[..at].CopyTo(output[length..]);
            length += at;
            int taken = EscapeAt(escaped[at..], out output[length]);
            length++;
            escaped = escaped[(at + taken)..];
        }

        escaped.CopyTo(output[length..]);
        return length + escaped.Length;
    }

    private static int EscapeAt(ReadOnlySpan<byte> escape, out byte value)
    {
        value = escape.Length > 1 ? escape[1] : (byte)0;
        if (value is (byte)'n' or (byte)'"' or (byte)'\\')
        {
            value = value == (byte)'n' ? (byte)'\n' : value;
            return 2;
        }

        bool isControl = escape.StartsWith("\\u00"u8)
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

    private static void WriteEscaped(string value, IBufferWriter<byte> output)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(value.Length));
        ReadOnlySpan<byte> rest = bytes.AsSpan(0, Encoding.UTF8.GetBytes(value, bytes));
        while (rest.IndexOfAny(Escaped) is >= 0 and int at)
        {
            output.Write(rest[..at]);
            WriteEscape(rest[at], output);
            rest = rest[(at + 1)..];
        }

        output.Write(rest);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private static void WriteEscape(byte value, IBufferWriter<byte> output) => output.Write(value switch
    {
        (byte)'\n' => "\\n"u8,
        (byte)'"' => "\\\""u8,
        (byte)'\\' => "\\\\"u8,
        _ => Encoding.ASCII.GetBytes($"\\u{value:x4}"),
    });
}
