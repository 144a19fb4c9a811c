using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// The words of a text as the filters count them: runs of letters, digits and marks, apostrophes inside included; in scripts that
/// put no spaces between words (Han, kana, Thai, Lao, Burmese, Khmer) each letter is one. Letter case does not matter.
/// </summary>
internal sealed class TextWords
{
    /// <summary>A word has so many UTF-16 units, and more, in most texts.</summary>
    private const int UsualLength = 5;

    private readonly string text;
    private Range32[] ranges;
    private ulong[] hashes;
    private char[] folded = [];
    private int unspaced;

    private TextWords(string text)
    {
        this.text = text;
        ranges = new Range32[text.Length / UsualLength + 1];
        hashes = new ulong[ranges.Length];
    }

    /// <summary>Words in the text.</summary>
    public int Count { get; private set; }

    /// <summary>A 64-bit hash of each word, equal for words that differ in letter case only.</summary>
    public ReadOnlySpan<ulong> Hashes => hashes.AsSpan(0, Count);

    /// <summary>UTF-16 units in all words together.</summary>
    public long Characters { get; private set; }

    /// <summary>Whether more than half of the words are single letters of a script without spaces.</summary>
    public bool IsUnspaced => 2 * unspaced > Count;

    /// <summary>UTF-16 units of a word.</summary>
    public int LengthOf(int word) => ranges[word].Length;

    /// <summary>Where a word begins in the text.</summary>
    public int StartOf(int word) => ranges[word].Start;

    /// <summary>The word as it stands in the text.</summary>
    public ReadOnlySpan<char> this[int word] => text.AsSpan(ranges[word].Start, ranges[word].Length);

    /// <summary>Finds the words.</summary>
    public static TextWords Of(string text)
    {
        var words = new TextWords(text);
        char[] lowered = ArrayPool<char>.Shared.Rent(text.Length);
        LowerAscii(text, lowered);
        words.Find(lowered.AsSpan(0, text.Length));
        ArrayPool<char>.Shared.Return(lowered);
        return words;
    }

    /// <summary>Whether the letter is of a script that puts no spaces between words.</summary>
    public static bool IsUnspacedLetter(int scalar) =>
        scalar >= 0x0E00
        && (
            scalar
            is (>= 0x0E00 and <= 0x0EFF)
                or (>= 0x1000 and <= 0x109F)
                or (>= 0x1780 and <= 0x17FF)
                or (>= 0x3040 and <= 0x30FF)
                or (>= 0x3400 and <= 0x4DBF)
                or (>= 0x4E00 and <= 0x9FFF)
                or (>= 0xF900 and <= 0xFAFF)
                or (>= 0x20000 and <= 0x3FFFF)
        );

    /// <summary>Words of ASCII with no apostrophe behind them are found at a glance; <see cref="Take"/> finds all others.</summary>
    private void Find(ReadOnlySpan<char> lowered)
    {
        int position = 0;
        while (position < lowered.Length)
        {
            int end = position;
            while (end < lowered.Length && IsLoweredLetterOrDigit(lowered[end]))
            {
                end++;
            }

            if (end < lowered.Length && (lowered[end] >= 128 || (lowered[end] == '\'' && end > position)))
            {
                position = Take(position);
            }
            else
            {
                if (end > position)
                {
                    Add(position, lowered[position..end]);
                }

                // What ends a word begins none.
                position = end + 1;
            }
        }
    }

    private static bool IsLoweredLetterOrDigit(char character) => (uint)(character - 'a') < 26 || (uint)(character - '0') < 10;

    /// <summary>Copies text with A to Z made a to z.</summary>
    private static void LowerAscii(ReadOnlySpan<char> text, Span<char> lowered)
    {
        ref ushort source = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(text));
        ref ushort target = ref Unsafe.As<char, ushort>(ref MemoryMarshal.GetReference(lowered));
        int done = 0;
        for (; done <= text.Length - Vector256<ushort>.Count; done += Vector256<ushort>.Count)
        {
            Vector256<ushort> characters = Vector256.LoadUnsafe(ref source, (nuint)done);
            Vector256<ushort> capitals = Vector256.LessThan(characters - Vector256.Create((ushort)'A'), Vector256.Create((ushort)26));
            (characters | (capitals & Vector256.Create((ushort)0x20))).StoreUnsafe(ref target, (nuint)done);
        }

        for (; done < text.Length; done++)
        {
            lowered[done] = char.IsAsciiLetterUpper(text[done]) ? (char)(text[done] | 0x20) : text[done];
        }
    }

    /// <summary>What <see cref="Hashes"/> holds of a word, which is in lower case here.</summary>
    public static ulong HashOf(ReadOnlySpan<char> word) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(word));

    private int Take(int start)
    {
        int position = start;
        while (Next(position, out int scalar) is > 0 and int width)
        {
            bool unspacedLetter = IsUnspacedLetter(scalar) && !IsMark(scalar);
            if (unspacedLetter && position > start)
            {
                break;
            }

            if (!unspacedLetter && !IsWordCharacter(scalar) && !IsInnerApostrophe(scalar, start, position))
            {
                break;
            }

            position += width;
            if (unspacedLetter)
            {
                // Its vowel signs and tone marks belong to it.
                position += MarksAt(position);
                unspaced++;
                break;
            }
        }

        if (position == start)
        {
            return start + Next(start, out _);
        }

        Add(start, position - start);
        return position;
    }

    private int MarksAt(int start)
    {
        int position = start;
        while (Next(position, out int scalar) is > 0 and int width && IsMark(scalar))
        {
            position += width;
        }

        return position - start;
    }

    private int Next(int position, out int scalar)
    {
        if (position >= text.Length)
        {
            scalar = 0;
            return 0;
        }

        Rune.DecodeFromUtf16(text.AsSpan(position), out Rune rune, out int width);
        scalar = rune.Value;
        return width;
    }

    private bool IsInnerApostrophe(int scalar, int start, int position) =>
        scalar is '\'' or '’' && position > start && position + 1 < text.Length && char.IsLetter(text[position + 1]);

    private static bool IsWordCharacter(int scalar) =>
        scalar < 128 ? char.IsAsciiLetterOrDigit((char)scalar) : Rune.IsLetterOrDigit(new Rune(scalar)) || IsMark(scalar);

    private static bool IsMark(int scalar) =>
        scalar >= 0x300
        && CharUnicodeInfo.GetUnicodeCategory(scalar) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private void Add(int start, int length)
    {
        if (folded.Length < length)
        {
            folded = new char[2 * length];
        }

        for (int i = 0; i < length; i++)
        {
            char character = text[start + i];
            folded[i] = character == '’' ? '\'' : char.ToLowerInvariant(character);
        }

        Add(start, folded.AsSpan(0, length));
    }

    private void Add(int start, ReadOnlySpan<char> word)
    {
        if (Count == ranges.Length)
        {
            Array.Resize(ref ranges, 2 * Count);
            Array.Resize(ref hashes, 2 * Count);
        }

        ranges[Count] = new Range32(start, word.Length);
        hashes[Count++] = HashOf(word);
        Characters += word.Length;
    }

    private readonly record struct Range32(int Start, int Length);
}
