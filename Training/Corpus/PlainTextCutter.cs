using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Cuts UTF-8 text at blank lines into documents in the form of <see cref="Document.Text"/>: what the reader of plain text does, without
/// leaving UTF-8. Used again for the next text; not safe for several threads.
/// </summary>
internal sealed class PlainTextCutter
{
    /// <summary>What makes a line of ASCII more than one line, or none: CR and FF within it, NUL.</summary>
    private static readonly SearchValues<byte> Unusual = SearchValues.Create("\r\f\0"u8);

    private byte[] text = new byte[1 << 16];
    private int length;

    /// <summary>The document last read: trimmed lines, none blank, '\n' between them. Valid until the next.</summary>
    public ReadOnlySpan<byte> Text => text.AsSpan(0, Math.Max(0, length - 1));

    /// <summary>Why the document last read is none ("invalid-utf8", "nul-byte"); null: it is one.</summary>
    public string? Fault { get; private set; }

    /// <summary>
    /// Takes the next document off the front of <paramref name="rest"/>; false if there is none. It may be empty where its lines hold
    /// nothing but white space beyond ASCII.
    /// </summary>
    public bool Next(scoped ref ReadOnlySpan<byte> rest)
    {
        length = 0;
        Fault = null;
        bool any = false;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            line = Trim(line);
            if (!line.IsEmpty)
            {
                any = true;
                Append(line);
            }
            else if (any)
            {
                return true;
            }
        }

        return any;
    }

    /// <summary>Behind the last blank line of a text: documents before it are whole. 0: there is none.</summary>
    public static int EndOfWholeDocuments(ReadOnlySpan<byte> text)
    {
        int end = text.LastIndexOf((byte)'\n');
        while (end > 0)
        {
            int start = text[..end].LastIndexOf((byte)'\n');
            if (Trim(text[(start + 1)..end]).IsEmpty)
            {
                return end + 1;
            }

            end = start;
        }

        return 0;
    }

    /// <summary>Without the white space of ASCII at both ends: mostly a look at two bytes.</summary>
    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> line)
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

    /// <summary>Adds a trimmed line, or finds that the document is none.</summary>
    private void Append(ReadOnlySpan<byte> line)
    {
        bool isAscii = Ascii.IsValid(line);
        bool isUnusual = line.ContainsAny(Unusual);
        Fault ??= !isAscii && !Utf8.IsValid(line) ? "invalid-utf8" : isUnusual && line.Contains((byte)0) ? "nul-byte" : null;
        if (Fault is not null)
        {
            return;
        }

        if (isUnusual || (!isAscii && HoldsOtherWhiteSpace(line)))
        {
            AppendLines(line);
            return;
        }

        Reserve(line.Length + 1);
        line.CopyTo(text.AsSpan(length));
        text[length + line.Length] = (byte)'\n';
        length += line.Length + 1;
    }

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
