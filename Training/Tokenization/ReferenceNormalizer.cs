using System.Collections;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// BERT's normalization and word splitting step by step, for Microsoft.ML.Tokenizers: words come out with single spaces between them,
/// so that splitting at white space is all that is left to do. The package's own BertNormalizer drops symbols and joins lines.
/// </summary>
internal sealed class ReferenceNormalizer : Normalizer
{
    /// <summary>Takes the place of words that are too long: a noncharacter, so no vocabulary can spell it.</summary>
    private const char TooLong = '\uFFFF';

    private readonly CharacterClasses classes = CharacterClasses.Instance;
    private readonly TokenizerOptions options;
    private readonly BitArray removed;
    private readonly BitArray spaces;
    private readonly BitArray ideographs;
    private readonly BitArray marks;
    private readonly BitArray punctuation;
    private readonly char[] ascii = new char[128];

    public ReferenceNormalizer(TokenizerOptions options)
    {
        this.options = options;
        removed = Bits(classes.Removed);
        spaces = Bits(classes.Spaces);
        ideographs = Bits(classes.Ideographs);
        marks = Bits(classes.Marks);
        punctuation = Bits(classes.Punctuation);
        for (int i = 0; i < ascii.Length; i++)
        {
            // Letters and digits, the bulk of text, take a short way; 0 sends everything else through the steps.
            ascii[i] = char.IsAsciiLetterOrDigit((char)i)
                ? options.LowerCase
                    ? char.ToLowerInvariant((char)i)
                    : (char)i
                : '\0';
        }
    }

    public override string Normalize(string original) => Normalize(original.AsSpan());

    public override string Normalize(ReadOnlySpan<char> original)
    {
        var words = new WordWriter(original.Length, options.MaxWordLength);
        for (int i = 0; i < original.Length; i++)
        {
            char character = original[i];
            if (character < 128 && ascii[character] != '\0')
            {
                words.Add(ascii[character]);
            }
            else if (character == ' ')
            {
                words.End();
            }
            else if (Rune.DecodeFromUtf16(original[i..], out Rune rune, out int length) == System.Buffers.OperationStatus.Done)
            {
                Add(rune.Value, ref words);
                i += length - 1;
            }
        }

        return words.ToString();
    }

    private void Add(int scalar, ref WordWriter words)
    {
        if (removed[scalar])
        {
            return;
        }

        if (spaces[scalar])
        {
            words.End();
            return;
        }

        bool alone = options.TokenizeChineseCharacters && ideographs[scalar];
        foreach (int part in options.RemovesAccents ? Decompose(scalar) : [scalar])
        {
            if (options.RemovesAccents && marks[part])
            {
                continue;
            }

            foreach (int lower in options.LowerCase && classes.LowerCase.TryGetValue(part, out int[]? form) ? form : [part])
            {
                words.Add(new Rune(lower), alone || punctuation[lower]);
            }
        }
    }

    private ReadOnlySpan<int> Decompose(int scalar)
    {
        const int First = 0xAC00;
        if (scalar is < First or > 0xD7A3)
        {
            return classes.Decompositions.TryGetValue(scalar, out int[]? parts) ? parts : new[] { scalar };
        }

        (int lead, int rest) = Math.DivRem(scalar - First, 21 * 28);
        (int vowel, int tail) = Math.DivRem(rest, 28);
        int[] jamo = [0x1100 + lead, 0x1161 + vowel, 0x11A7 + tail];
        return jamo.AsSpan(0, tail == 0 ? 2 : 3);
    }

    private static BitArray Bits(IReadOnlyList<(int First, int Last)> ranges)
    {
        var bits = new BitArray(0x110000);
        foreach ((int first, int last) in ranges)
        {
            for (int scalar = first; scalar <= last; scalar++)
            {
                bits[scalar] = true;
            }
        }

        return bits;
    }

    /// <summary>Words with single spaces between them.</summary>
    private struct WordWriter(int capacity, int maxCodePoints)
    {
        private char[] text = new char[capacity + (capacity / 4) + 16];
        private int length;
        private int wordStart;
        private int codePoints;

        public void Add(char character)
        {
            Reserve();
            text[length++] = character;
            codePoints++;
        }

        public void Add(Rune rune, bool alone)
        {
            if (alone)
            {
                End();
            }

            Reserve();
            length += rune.EncodeToUtf16(text.AsSpan(length));
            codePoints++;
            if (alone)
            {
                End();
            }
        }

        public void End()
        {
            if (codePoints == 0)
            {
                return;
            }

            if (codePoints > maxCodePoints)
            {
                length = wordStart;
                text[length++] = TooLong;
            }

            Reserve();
            text[length++] = ' ';
            wordStart = length;
            codePoints = 0;
        }

        public override string ToString()
        {
            End();
            return new string(text, 0, length);
        }

        private void Reserve()
        {
            if (length + 2 > text.Length)
            {
                Array.Resize(ref text, 2 * text.Length);
            }
        }
    }
}
