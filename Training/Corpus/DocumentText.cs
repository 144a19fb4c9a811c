using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace ElectraPipeline.Training.Corpus;

/// <summary>The form that document text is kept in, and its hash.</summary>
internal static class DocumentText
{
    /// <summary>
    /// Appends the lines of <paramref name="text"/>, trimmed, each followed by '\n'; blank ones are left out. Line ends are those
    /// of Unicode (CR, LF, CRLF, FF, NEL, LS, PS).
    /// </summary>
    public static void AppendLines(StringBuilder lines, ReadOnlySpan<char> text)
    {
        foreach (ReadOnlySpan<char> line in text.EnumerateLines())
        {
            ReadOnlySpan<char> trimmed = line.Trim();
            if (!trimmed.IsEmpty)
            {
                lines.Append(trimmed).Append('\n');
            }
        }
    }

    /// <summary>The lines of a text as <see cref="Document.Text"/> holds them.</summary>
    public static string Normalize(ReadOnlySpan<char> text)
    {
        var lines = new StringBuilder(text.Length + 1);
        AppendLines(lines, text);
        return Finish(lines);
    }

    /// <summary>Takes what <see cref="AppendLines"/> gathered and empties it for the next document.</summary>
    public static string Finish(StringBuilder lines)
    {
        string text = lines.Length == 0 ? "" : lines.ToString(0, lines.Length - 1);
        lines.Clear();
        return text;
    }

    /// <summary>UTF-8 bytes of a document's text, one for the end of its last line included.</summary>
    public static long Bytes(string text) => Encoding.UTF8.GetByteCount(text) + 1;

    /// <summary>
    /// 128 bits (XxHash128) of the text with each run of white space made one space and none at the ends: equal for texts that
    /// differ in white space only. Chooses the part that a document goes to.
    /// </summary>
    public static UInt128 Hash(ReadOnlySpan<char> text)
    {
        char[] folded = ArrayPool<char>.Shared.Rent(text.Length + 1);
        try
        {
            int length = Fold(text, folded);
            return XxHash128.HashToUInt128(MemoryMarshal.AsBytes(folded.AsSpan(0, length)));
        }
        finally
        {
            ArrayPool<char>.Shared.Return(folded);
        }
    }

    /// <summary>The text with white space folded.</summary>
    public static string Fold(ReadOnlySpan<char> text)
    {
        char[] folded = new char[text.Length + 1];
        return new string(folded, 0, Fold(text, folded));
    }

    private static int Fold(ReadOnlySpan<char> text, Span<char> folded)
    {
        int length = 0;
        bool space = false;
        foreach (char character in text)
        {
            if (char.IsWhiteSpace(character))
            {
                space = length > 0;
                continue;
            }

            if (space)
            {
                folded[length++] = ' ';
                space = false;
            }

            folded[length++] = character;
        }

        return length;
    }
}
