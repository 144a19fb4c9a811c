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
    private static readonly SearchValues<byte> BlankBytes = SearchValues.Create(" \t\r\f\v"u8);

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
            if (IsBlank(line))
            {
                if (any)
                {
                    return true;
                }

                continue;
            }

            any = true;
            Fault ??= !Utf8.IsValid(line) ? "invalid-utf8" : line.Contains((byte)0) ? "nul-byte" : null;
            if (Fault is null)
            {
                Append(line);
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
            if (IsBlank(text[(start + 1)..end]))
            {
                return end + 1;
            }

            end = start;
        }

        return 0;
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(BlankBytes) < 0;

    private void Append(ReadOnlySpan<byte> line)
    {
        if (Ascii.IsValid(line) ? line.Trim(" \t\r\f\v"u8).ContainsAny((byte)'\r', (byte)'\f') : HoldsOtherWhiteSpace(line))
        {
            AppendLines(line);
            return;
        }

        line = line.Trim(" \t\r\f\v"u8);
        Reserve(line.Length + 1);
        line.CopyTo(text.AsSpan(length));
        text[length + line.Length] = (byte)'\n';
        length += line.Length + 1;
    }

    /// <summary>Whether a line may hold line ends of Unicode, or white space to trim, that ASCII does not have.</summary>
    private static bool HoldsOtherWhiteSpace(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> trimmed = line.Trim(" \t\r\f\v"u8);
        Rune.DecodeFromUtf8(trimmed, out Rune first, out _);
        Rune.DecodeLastFromUtf8(trimmed, out Rune last, out _);
        return Rune.IsWhiteSpace(first)
            || Rune.IsWhiteSpace(last)
            || trimmed.ContainsAny((byte)'\r', (byte)'\f')
            || trimmed.IndexOf("\u0085"u8) >= 0
            || trimmed.IndexOf("\u2028"u8) >= 0
            || trimmed.IndexOf("\u2029"u8) >= 0;
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
