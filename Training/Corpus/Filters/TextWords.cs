using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace ElectraPipeline.Training.Corpus.Filters;

/// <summary>
/// The words of a text as the filters count them: runs of letters, digits and marks, apostrophes inside included; in scripts that
/// put no spaces between words (Han, kana, Thai, Lao, Burmese, Khmer) each letter is one. Letter case does not matter.
/// </summary>
internal sealed class TextWords
{
    private readonly List<Range32> ranges = [];
    private readonly List<ulong> hashes = [];
    private readonly string text;
    private char[] folded = new char[64];

    private TextWords(string text) => this.text = text;

    /// <summary>Words in the text.</summary>
    public int Count => ranges.Count;

    /// <summary>A 64-bit hash of each word, equal for words that differ in letter case only.</summary>
    public ReadOnlySpan<ulong> Hashes => CollectionsMarshal.AsSpan(hashes);

    /// <summary>UTF-16 units in all words together.</summary>
    public long Characters { get; private set; }

    /// <summary>Whether more than half of the words are single letters of a script without spaces.</summary>
    public bool IsUnspaced => 2 * unspaced > Count;

    private int unspaced;

    /// <summary>UTF-16 units of a word.</summary>
    public int LengthOf(int word) => ranges[word].Length;

    /// <summary>The word as it stands in the text.</summary>
    public ReadOnlySpan<char> this[int word] => text.AsSpan(ranges[word].Start, ranges[word].Length);

    /// <summary>Finds the words.</summary>
    public static TextWords Of(string text)
    {
        var words = new TextWords(text);
        int position = 0;
        while (position < text.Length)
        {
            position = words.Take(position);
        }

        return words;
    }

    /// <summary>Whether the letter is of a script that puts no spaces between words.</summary>
    public static bool IsUnspacedLetter(int scalar) => scalar >= 0x0E00 && (scalar
        is (>= 0x0E00 and <= 0x0EFF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17FF) or (>= 0x3040 and <= 0x30FF)
        or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF));

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

    private static bool IsWordCharacter(int scalar) => scalar < 128
        ? char.IsAsciiLetterOrDigit((char)scalar)
        : Rune.IsLetterOrDigit(new Rune(scalar)) || IsMark(scalar);

    private static bool IsMark(int scalar) => scalar >= 0x300
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

        ranges.Add(new Range32(start, length));
        hashes.Add(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(folded.AsSpan(0, length))));
        Characters += length;
    }

    private readonly record struct Range32(int Start, int Length);
}
