using System.Buffers;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace ElectraPipeline.Training.Corpus;

/// <summary>
/// Makes each run of white space (of Unicode) in UTF-8 text one space, and none at the ends: 32 bytes at a time where no two meet.
/// </summary>
internal static class WhiteSpaceFolding
{
    /// <summary>Bytes of room that are needed beyond the text's own.</summary>
    public const int Slack = 1;

    private const int Block = 32;

    /// <summary>A block is looked at with the two bytes behind it: white space beyond ASCII has up to three.</summary>
    private const int Reach = Block + 2;

    /// <summary>Writes the folded text to <paramref name="folded"/> and returns its bytes.</summary>
    public static int Fold(ReadOnlySpan<byte> text, Span<byte> folded)
    {
        int length = 0;

        // As if white space stood before the text: none is kept at its beginning.
        bool space = true;
        while (!text.IsEmpty)
        {
            if (text.Length >= Reach && FoldBlock(text, folded[length..], space))
            {
                length += Block;
                space = folded[length - 1] == ' ';
                text = text[Block..];
            }
            else
            {
                text = text[FoldCharacters(text, folded, ref length, ref space)..];
            }
        }

        return space && length > 0 ? length - 1 : length;
    }

    /// <summary>Folds characters up to the end of a block; returns their bytes.</summary>
    private static int FoldCharacters(ReadOnlySpan<byte> text, Span<byte> folded, ref int length, ref bool space)
    {
        int position = 0;
        while (position < Math.Min(Block, text.Length))
        {
            int bytes = 1;
            bool isSpace = text[position] is (byte)' ' or (>= (byte)'\t' and <= (byte)'\r');
            if (text[position] >= 0x80 && Rune.DecodeFromUtf8(text[position..], out Rune rune, out int decoded) == OperationStatus.Done)
            {
                bytes = decoded;
                isSpace = Rune.IsWhiteSpace(rune);
            }

            if (!isSpace)
            {
                text.Slice(position, bytes).CopyTo(folded[length..]);
                length += bytes;
            }
            else if (!space)
            {
                folded[length++] = (byte)' ';
            }

            space = isSpace;
            position += bytes;
        }

        return position;
    }

    /// <summary>
    /// Copies a block with line feeds and tabs made spaces; false, with nothing said of what is written, if two white spaces meet or one
    /// begins there that ASCII does not have.
    /// </summary>
    private static bool FoldBlock(ReadOnlySpan<byte> text, Span<byte> folded, bool afterSpace)
    {
        ref byte first = ref MemoryMarshal.GetReference(text);
        Vector256<byte> block = Vector256.LoadUnsafe(ref first);
        Vector256<byte> controls = Vector256.LessThan(block - Vector256.Create((byte)'\t'), Vector256.Create((byte)5));
        uint spaces = (controls | Vector256.Equals(block, Vector256.Create((byte)' '))).ExtractMostSignificantBits();
        if (
            (spaces & ((spaces << 1) | (afterSpace ? 1u : 0))) != 0
            || (block.ExtractMostSignificantBits() != 0 && HasOtherWhiteSpace(ref first, block))
        )
        {
            return false;
        }

        Vector256
            .ConditionalSelect(controls, Vector256.Create((byte)' '), block)
            .StoreUnsafe(ref MemoryMarshal.GetReference(folded[..Block]));
        return true;
    }

    /// <summary>
    /// Whether white space beyond ASCII begins in a block: U+0085, U+00A0, U+1680, U+2000-200A, U+2028, U+2029, U+202F, U+205F, U+3000.
    /// </summary>
    private static bool HasOtherWhiteSpace(ref byte first, Vector256<byte> block)
    {
        Vector256<byte> second = Vector256.LoadUnsafe(ref first, 1);
        Vector256<byte> third = Vector256.LoadUnsafe(ref first, 2);
        Vector256<byte> latin = Is(block, 0xC2) & (Is(second, 0x85) | Is(second, 0xA0));
        Vector256<byte> ogham = Is(block, 0xE1) & Is(second, 0x9A) & Is(third, 0x80);
        Vector256<byte> ideographic = Is(block, 0xE3) & Is(second, 0x80) & Is(third, 0x80);
        Vector256<byte> widths =
            Is(second, 0x80)
            & (
                Vector256.LessThan(third - Vector256.Create((byte)0x80), Vector256.Create((byte)11))
                | Is(third, 0xA8)
                | Is(third, 0xA9)
                | Is(third, 0xAF)
            );
        Vector256<byte> general = Is(block, 0xE2) & (widths | (Is(second, 0x81) & Is(third, 0x9F)));
        return (latin | ogham | ideographic | general) != Vector256<byte>.Zero;
    }

    private static Vector256<byte> Is(Vector256<byte> values, byte value) => Vector256.Equals(values, Vector256.Create(value));
}
