using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Gathers lines of UTF-8 into a text in the form of <see cref="Document.Text"/>, without leaving UTF-8. Used again for the next text; not
/// safe for several threads.
/// </summary>
internal sealed class DocumentTextBuffer
{
    /// <summary>What makes a line of ASCII more than one line, or none: CR and FF within it, NUL.</summary>
    private static readonly SearchValues<byte> Unusual = SearchValues.Create("\r\f\0"u8);

    private byte[] text = new byte[1 << 16];
    private int length;

    /// <summary>Bytes gathered, one for the end of each line included.</summary>
    public int Length => length;

    /// <summary>The text: trimmed lines, none blank, '\n' between them. Valid until the next change.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, Math.Max(0, length - 1));

    /// <summary>Forgets the text.</summary>
    public void Clear() => length = 0;

    /// <summary>
    /// Adds a line that <see cref="Trim"/> trimmed and that is not empty; or returns why it cannot be: "invalid-utf8", "nul-byte".
    /// </summary>
    public string? Append(ReadOnlySpan<byte> line)
    {
        bool isAscii = Ascii.IsValid(line);
        bool isUnusual = line.ContainsAny(Unusual);
        if (!isAscii && !Utf8.IsValid(line))
        {
            return "invalid-utf8";
        }

        if (isUnusual && line.Contains((byte)0))
        {
            return "nul-byte";
        }

        if (isUnusual || (!isAscii && HoldsOtherWhiteSpace(line)))
        {
            AppendLines(line);
            return null;
        }

        Reserve(line.Length + 1);
        line.CopyTo(text.AsSpan(length));
        text[length + line.Length] = (byte)'\n';
        length += line.Length + 1;
        return null;
    }

    /// <summary>A line without the white space of ASCII at both ends: mostly a look at two bytes.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> line)
    {
        int start = 0;
        int end = line.Length;
        while (start < end && IsBlank(line[start]))
        {
            start++;
        }

        while (end > start && IsBlank(line[end - 1]))
        {
            end--;
        }

        return line[start..end];
    }

    private static bool IsBlank(byte value) => value is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r' and not (byte)'\n');

    /// <summary>Whether a trimmed line may hold line ends of Unicode, or white space to trim, that ASCII does not have.</summary>
    private static bool HoldsOtherWhiteSpace(ReadOnlySpan<byte> line)
    {
        Rune.DecodeFromUtf8(line, out Rune first, out _);
        Rune.DecodeLastFromUtf8(line, out Rune last, out _);
        return Rune.IsWhiteSpace(first)
            || Rune.IsWhiteSpace(last)
            || line.IndexOf("\u0085"u8) >= 0
            || line.IndexOf("\u2028"u8) >= 0
            || line.IndexOf("\u2029"u8) >= 0;
    }

    /// <summary>The long way round, for the few lines that need it.</summary>
    private void AppendLines(ReadOnlySpan<byte> line)
    {
        var lines = new StringBuilder();
        DocumentText.AppendLines(lines, Encoding.UTF8.GetString(line));
        string normalized = lines.ToString();
        Reserve(Encoding.UTF8.GetMaxByteCount(normalized.Length));
        length += Encoding.UTF8.GetBytes(normalized, text.AsSpan(length));
    }

    private void Reserve(int bytes)
    {
        if (length + bytes > text.Length)
        {
            Array.Resize(ref text, Math.Max(length + bytes, 2 * text.Length));
        }
    }
}
