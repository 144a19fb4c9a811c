using System.Buffers;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
        text = text.Trim();
        int length = 0;
        bool space = false;
        while (!text.IsEmpty)
        {
            if (text.Length >= Vector256<ushort>.Count && FoldBlock(text, folded[length..], space))
            {
                length += Vector256<ushort>.Count;
                space = folded[length - 1] == ' ';
                text = text[Vector256<ushort>.Count..];
                continue;
            }

            int part = Math.Min(text.Length, Vector256<ushort>.Count);
            foreach (char character in text[..part])
            {
                bool isSpace = char.IsWhiteSpace(character);
                if (!isSpace || !space)
                {
                    folded[length++] = isSpace ? ' ' : character;
                }

                space = isSpace;
            }

            text = text[part..];
        }

        return length;
    }

    /// <summary>
    /// Copies 16 characters with line feeds and tabs made spaces; false, with nothing said of what is written, if two white spaces meet or
    /// one is there that ASCII does not have.
    /// </summary>
    /// <param name="text">At least 16 characters.</param>
    /// <param name="folded">Room for as many.</param>
    /// <param name="afterSpace">Whether a white space stands before them.</param>
    private static bool FoldBlock(ReadOnlySpan<char> text, Span<char> folded, bool afterSpace)
    {
        Vector256<ushort> block = Vector256.LoadUnsafe(ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(text)));
        Vector256<ushort> controls = Vector256.LessThan(block - Vector256.Create<ushort>('\t'), Vector256.Create<ushort>(5));
        uint spaces = (controls | Vector256.Equals(block, Vector256.Create<ushort>(' '))).ExtractMostSignificantBits();
        if ((spaces & ((spaces << 1) | (afterSpace ? 1u : 0))) != 0 || HasOtherWhiteSpace(block))
        {
            return false;
        }

        Vector256.ConditionalSelect(controls, Vector256.Create<ushort>(' '), block)
            .StoreUnsafe(ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(folded)));
        return true;
    }

    /// <summary>Whether a block holds white space beyond ASCII.</summary>
    private static bool HasOtherWhiteSpace(Vector256<ushort> block)
    {
        if (Vector256.LessThanAll(block, Vector256.Create<ushort>(0x80)))
        {
            return false;
        }

        Vector256<ushort> found = Vector256.Equals(block, Vector256.Create<ushort>(0x85))
            | Vector256.Equals(block, Vector256.Create<ushort>(0xA0))
            | Vector256.Equals(block, Vector256.Create<ushort>(0x1680))
            | Vector256.LessThan(block - Vector256.Create<ushort>(0x2000), Vector256.Create<ushort>(11))
            | Vector256.LessThan(block - Vector256.Create<ushort>(0x2028), Vector256.Create<ushort>(2))
            | Vector256.Equals(block, Vector256.Create<ushort>(0x202F))
            | Vector256.Equals(block, Vector256.Create<ushort>(0x205F))
            | Vector256.Equals(block, Vector256.Create<ushort>(0x3000));
        return found != Vector256<ushort>.Zero;
    }
}
