using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Finds documents of plain text that stand there in the form of <see cref="Document.Text"/>, but for carriage returns before line feeds,
/// as most do: a look at 32 bytes at a time in place of several at each line.
/// </summary>
internal static class CleanText
{
    private const int Block = 32;

    /// <summary>White space beyond ASCII has up to three bytes.</summary>
    private const int Reach = Block + 2;

    /// <summary>What stands behind the text in its last block: neither white space nor a line feed.</summary>
    private const byte Filler = (byte)'.';

    /// <summary>Bytes of the blank lines that a text begins with, if no other white space is in them; and how many lines.</summary>
    public static int SkipBlankLines(ReadOnlySpan<byte> text, out int lines)
    {
        lines = 0;
        int position = 0;
        while (position < text.Length && (text[position] == '\n' || text[position..].StartsWith("\r\n"u8)))
        {
            position += text[position] == '\n' ? 1 : 2;
            lines++;
        }

        return position;
    }

    /// <summary>Copies a text without its carriage returns; returns how many bytes are left.</summary>
    /// <param name="text">Each is followed by a line feed.</param>
    /// <param name="output">At least as long.</param>
    public static int DropCarriageReturns(ReadOnlySpan<byte> text, Span<byte> output)
    {
        int length = 0;
        for (int position = 0; position < text.Length; position++)
        {
            int plain = DocumentLine.CopyUntil(text[position..], output[length..], Vector256.Create((byte)'\r'), Vector256<byte>.Zero);
            position += plain;
            length += plain;
        }

        return length;
    }

    /// <summary>
    /// Finds the document that <paramref name="text"/> begins with; false, if it is in another form, or no blank line without white space
    /// ends it here.
    /// </summary>
    /// <param name="text">Begins with no blank line.</param>
    /// <param name="isAll">Whether the end of the text ends the document too.</param>
    /// <param name="document">How long it is, and the text and the lines to go on behind it.</param>
    public static bool TryFind(ReadOnlySpan<byte> text, bool isAll, out CleanDocument document)
    {
        document = default;
        if (text.IsEmpty || DocumentTextBuffer.IsBlank(text[0]))
        {
            return false;
        }

        var scan = new Scan();
        Span<byte> last = stackalloc byte[Reach];
        for (int position = 0; position < text.Length; position += Block)
        {
            scoped ReadOnlySpan<byte> block = text[position..];
            if (block.Length < Reach)
            {
                last.Fill(Filler);
                block.CopyTo(last);
                block = last;
            }

            if (!scan.Next(block, out int end))
            {
                return false;
            }

            if (end >= 0)
            {
                int blankLine = text[position + end] == '\r' ? 2 : 1;
                document = DocumentOf(text[..(position + end)], blankLine, scan);
                return scan.IsAscii || Utf8.IsValid(text[..document.Length]);
            }
        }

        if (!isAll || (text[^1] != '\n' && DocumentTextBuffer.IsBlank(text[^1])))
        {
            return false;
        }

        document = DocumentOf(text, blankLine: 0, scan);
        return scan.IsAscii || Utf8.IsValid(text[..document.Length]);
    }

    private static CleanDocument DocumentOf(ReadOnlySpan<byte> lines, int blankLine, Scan scan)
    {
        int end =
            lines.EndsWith("\r\n"u8) ? 2
            : lines.EndsWith("\n"u8) ? 1
            : 0;
        return new CleanDocument(
            lines.Length - end,
            lines.Length + blankLine,
            scan.Lines + (blankLine > 0 ? 1 : 0) + (end == 0 ? 1 : 0),
            scan.HasCarriageReturns
        );
    }

    /// <summary>What is known of the blocks before.</summary>
    private struct Scan()
    {
        private uint afterLineFeed;
        private uint afterBlank;

        /// <summary>Line feeds before the end of the document.</summary>
        public int Lines { get; private set; }

        public bool IsAscii { get; private set; } = true;

        public bool HasCarriageReturns { get; private set; }

        /// <summary>
        /// Looks at a block, and two bytes behind it: false, if something has to be done to the text; else where the blank line begins that
        /// ends the document, or -1.
        /// </summary>
        public bool Next(ReadOnlySpan<byte> bytes, out int end)
        {
            ref byte first = ref MemoryMarshal.GetReference(bytes);
            Vector256<byte> block = Vector256.LoadUnsafe(ref first);
            uint lineFeeds = Is(block, (byte)'\n');
            uint blanks = Vector256.LessThan(block - Vector256.Create((byte)'\t'), Vector256.Create((byte)5)).ExtractMostSignificantBits();
            uint returns = Is(block, (byte)'\r') & ((lineFeeds >> 1) | (bytes[Block] == '\n' ? 1u << (Block - 1) : 0));
            uint lineEnds = lineFeeds | returns;
            blanks = (blanks & ~lineEnds) | Is(block, (byte)' ');
            uint behindLineFeed = (lineFeeds << 1) | afterLineFeed;
            uint ends = lineEnds & behindLineFeed;
            uint before = ends == 0 ? uint.MaxValue : (ends & ~(ends - 1)) - 1;
            uint unclean =
                (blanks & behindLineFeed)
                | (lineEnds & ((blanks << 1) | afterBlank))
                | Is(block, 0)
                | (Is(block, (byte)'\r') & ~returns)
                | Is(block, (byte)'\f');
            end = ends == 0 ? -1 : BitOperations.TrailingZeroCount(ends);
            if ((unclean & before) != 0)
            {
                return false;
            }

            if ((block.ExtractMostSignificantBits() & before) != 0)
            {
                IsAscii = false;
                if (WhiteSpaceFolding.HasOtherWhiteSpace(ref first, block))
                {
                    return false;
                }
            }

            HasCarriageReturns |= (returns & before) != 0;
            Lines += BitOperations.PopCount(lineFeeds & before);
            afterLineFeed = lineFeeds >> (Block - 1);
            afterBlank = blanks >> (Block - 1);
            return true;
        }

        private static uint Is(Vector256<byte> block, byte value) =>
            Vector256.Equals(block, Vector256.Create(value)).ExtractMostSignificantBits();
    }
}

/// <summary>A document at the front of a text.</summary>
/// <param name="Length">Its bytes, without what ends its last line.</param>
/// <param name="Consumed">Those and what ends it, a blank line included.</param>
/// <param name="Lines">Lines in these bytes.</param>
/// <param name="HasCarriageReturns">Whether lines end with them too; they are no part of the document.</param>
internal readonly record struct CleanDocument(int Length, int Consumed, int Lines, bool HasCarriageReturns);
