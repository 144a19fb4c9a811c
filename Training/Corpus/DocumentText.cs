using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace ElectraPipeline.Training.Corpus;

/// <summary>The form that document text is kept in, and its hash.</summary>
internal static class DocumentText
{
    private static readonly SearchValues<char> OtherLineEnds = SearchValues.Create("\r\f\u0085\u2028\u2029");

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

    /// <summary>The same of a string, which is given back itself if it is in that form.</summary>
    public static string Normalize(string text)
    {
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (line.IsEmpty || char.IsWhiteSpace(line[0]) || char.IsWhiteSpace(line[^1]))
            {
                return Normalize(text.AsSpan());
            }
        }

        return text.AsSpan().ContainsAny(OtherLineEnds) ? Normalize(text.AsSpan()) : text;
    }

    /// <summary>Takes what <see cref="AppendLines"/> gathered and empties it for the next document.</summary>
    public static string Finish(StringBuilder lines)
    {
        string text = lines.Length == 0 ? "" : lines.ToString(0, lines.Length - 1);
        lines.Clear();
        return text;
    }

    /// <summary>
    /// 128 bits (XxHash128) of the text with each run of white space made one space and none at the ends: equal for texts that
    /// differ in white space only. Chooses the part that a document goes to, and whether it is held out.
    /// </summary>
    /// <remarks>Of the text in UTF-16, so that documents stay in the part and the split that earlier versions gave them.</remarks>
    public static UInt128 Hash(ReadOnlySpan<byte> utf8)
    {
        byte[] folded = ArrayPool<byte>.Shared.Rent(utf8.Length + WhiteSpaceFolding.Slack);
        char[] utf16 = ArrayPool<char>.Shared.Rent(utf8.Length + WhiteSpaceFolding.Slack);
        try
        {
            int bytes = WhiteSpaceFolding.Fold(utf8, folded);
            int characters = Encoding.UTF8.GetChars(folded.AsSpan(0, bytes), utf16);
            return XxHash128.HashToUInt128(MemoryMarshal.AsBytes(utf16.AsSpan(0, characters)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(folded);
            ArrayPool<char>.Shared.Return(utf16);
        }
    }

    /// <summary>The same of a text that is not in UTF-8 yet.</summary>
    public static UInt128 Hash(ReadOnlySpan<char> text)
    {
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            return Hash(utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(utf8);
        }
    }

    /// <summary>The text with each run of white space made one space and none at the ends.</summary>
    public static string Fold(ReadOnlySpan<char> text)
    {
        var folded = new StringBuilder(text.Length);
        bool space = true;
        foreach (char character in text)
        {
            bool isSpace = char.IsWhiteSpace(character);
            if (!isSpace || !space)
            {
                folded.Append(isSpace ? ' ' : character);
            }

            space = isSpace;
        }

        return folded.ToString(0, folded.Length - (space && folded.Length > 0 ? 1 : 0));
    }
}
