using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>What a character does to the word being read.</summary>
internal enum CharacterAction : byte
{
    /// <summary>Joins the word as it is.</summary>
    Keep,

    /// <summary>Leaves nothing behind and does not end the word.</summary>
    Remove,

    /// <summary>Ends the word.</summary>
    Space,

    /// <summary>Joins the word in another form.</summary>
    Replace,

    /// <summary>Ends the word and is a word itself: punctuation, ideographs.</summary>
    Isolate,
}

/// <summary>
/// The whole of BERT's normalization and word splitting for one set of options, folded into one look-up a character: cleaning,
/// ideographs, accents, lower case and punctuation, in that order. Immutable.
/// </summary>
internal sealed class NormalizationTable
{
    private const int BlockBits = 7;
    private const int BlockSize = 1 << BlockBits;
    private const int FirstHangul = 0xAC00;
    private const int LastHangul = 0xD7A3;

    private static readonly ConcurrentDictionary<(bool LowerCase, bool RemoveAccents, bool Ideographs), NormalizationTable> Made = [];

    private readonly ushort[] blocks;
    private readonly int[] entries;
    private readonly byte[] forms;

    private NormalizationTable(bool lowerCase, bool removeAccents, bool isolateIdeographs)
    {
        LowersCase = lowerCase;
        var builder = new Builder(lowerCase, removeAccents, isolateIdeographs);
        (blocks, entries, forms) = builder.Build();
    }

    /// <summary>
    /// Whether ASCII capitals are lowered; nothing else is done to ASCII but isolating punctuation and removing controls.
    /// </summary>
    public bool LowersCase { get; }

    /// <summary>The table for <paramref name="options"/>, made once in a process.</summary>
    public static NormalizationTable For(TokenizerOptions options) =>
        Made.GetOrAdd(
            (options.LowerCase, options.RemovesAccents, options.TokenizeChineseCharacters),
            static key => new NormalizationTable(key.LowerCase, key.RemoveAccents, key.Ideographs)
        );

    /// <summary>What to do with a Unicode scalar.</summary>
    public Entry this[int scalar]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(entries[(blocks[scalar >> BlockBits] << BlockBits) + (scalar & (BlockSize - 1))]);
    }

    /// <summary>The UTF-8 bytes that replace a character whose entry is <see cref="Entry.HasForm"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> FormOf(Entry entry) => forms.AsSpan(entry.FormOffset, entry.FormBytes);

    /// <summary>
    /// Action in bits 0-2, code points of the form in 3-4, its bytes in 5-8, its offset above; no bytes: the character itself.
    /// </summary>
    public readonly record struct Entry(int Bits)
    {
        public CharacterAction Action => (CharacterAction)(Bits & 7);

        public int CodePoints => (Bits >> 3) & 3;

        public bool HasForm => FormBytes > 0;

        public int FormBytes => (Bits >> 5) & 15;

        public int FormOffset => Bits >>> 9;

        public static Entry Of(CharacterAction action, int codePoints = 1, int bytes = 0, int offset = 0) =>
            new((int)action | (codePoints << 3) | (bytes << 5) | (offset << 9));
    }

    private sealed class Builder(bool lowerCase, bool removeAccents, bool isolateIdeographs)
    {
        private readonly CharacterClasses classes = CharacterClasses.Instance;
        private readonly Dictionary<string, int> formOffsets = new(StringComparer.Ordinal);
        private readonly List<byte> forms = [];
        private readonly bool[] punctuation = new bool[0x110000];

        public (ushort[] Blocks, int[] Entries, byte[] Forms) Build()
        {
            int[] all = new int[0x110000];
            Array.Fill(all, Entry.Of(CharacterAction.Keep).Bits);
            Set(classes.Punctuation, scalar => punctuation[scalar] = true);
            Set(classes.Punctuation, scalar => all[scalar] = Entry.Of(CharacterAction.Isolate).Bits);
            var changing = new HashSet<int>(lowerCase ? classes.LowerCase.Keys : Enumerable.Empty<int>());
            changing.UnionWith(removeAccents ? classes.Decompositions.Keys : Enumerable.Empty<int>());
            foreach (int scalar in changing)
            {
                all[scalar] = Changed(scalar, isolate: false).Bits;
            }

            for (int scalar = FirstHangul; removeAccents && scalar <= LastHangul; scalar++)
            {
                all[scalar] = Changed(scalar, isolate: false).Bits;
            }

            if (removeAccents)
            {
                Set(classes.Marks, scalar => all[scalar] = Entry.Of(CharacterAction.Remove).Bits);
            }

            if (isolateIdeographs)
            {
                Set(classes.Ideographs, scalar => all[scalar] = Changed(scalar, isolate: true).Bits);
            }

            Set(classes.Spaces, scalar => all[scalar] = Entry.Of(CharacterAction.Space).Bits);
            Set(classes.Removed, scalar => all[scalar] = Entry.Of(CharacterAction.Remove).Bits);
            return Fold(all);
        }

        private static void Set(IReadOnlyList<(int First, int Last)> ranges, Action<int> set)
        {
            foreach ((int first, int last) in ranges)
            {
                for (int scalar = first; scalar <= last; scalar++)
                {
                    set(scalar);
                }
            }
        }

        /// <summary>Decomposition first, then lower case of every part; a part that is punctuation then stands alone.</summary>
        private Entry Changed(int scalar, bool isolate)
        {
            int[] parts = removeAccents ? Decompose(scalar) : [scalar];
            int[] lowered = lowerCase
                ? [.. parts.SelectMany(part => classes.LowerCase.TryGetValue(part, out int[]? lower) ? lower : [part])]
                : parts;
            CharacterAction action = isolate || punctuation[lowered[0]] ? CharacterAction.Isolate : CharacterAction.Replace;
            if (lowered is [int same] && same == scalar)
            {
                return Entry.Of(action == CharacterAction.Replace ? CharacterAction.Keep : action);
            }

            string form = string.Concat(lowered.Select(part => new Rune(part).ToString()));
            return Entry.Of(action, lowered.Length, Encoding.UTF8.GetByteCount(form), OffsetOf(form));
        }

        private int[] Decompose(int scalar)
        {
            if (scalar is >= FirstHangul and <= LastHangul)
            {
                int index = scalar - FirstHangul;
                int tail = index % 28;
                int lead = 0x1100 + (index / 588);
                int vowel = 0x1161 + (index % 588 / 28);
                return tail == 0 ? [lead, vowel] : [lead, vowel, 0x11A7 + tail];
            }

            return classes.Decompositions.TryGetValue(scalar, out int[]? parts) ? parts : [scalar];
        }

        private int OffsetOf(string form)
        {
            if (!formOffsets.TryGetValue(form, out int offset))
            {
                offset = forms.Count;
                formOffsets.Add(form, offset);
                forms.AddRange(Encoding.UTF8.GetBytes(form));
            }

            return offset;
        }

        /// <summary>Equal blocks of 128 characters are stored once; most of the code space is alike.</summary>
        private (ushort[] Blocks, int[] Entries, byte[] Forms) Fold(int[] all)
        {
            ushort[] blocks = new ushort[all.Length / BlockSize];
            var entries = new List<int>();
            var seen = new Dictionary<string, ushort>(StringComparer.Ordinal);
            for (int block = 0; block < blocks.Length; block++)
            {
                int[] content = all[(block * BlockSize)..((block + 1) * BlockSize)];
                string key = string.Join(' ', content);
                if (!seen.TryGetValue(key, out blocks[block]))
                {
                    seen.Add(key, blocks[block] = (ushort)(entries.Count / BlockSize));
                    entries.AddRange(content);
                }
            }

            return (blocks, [.. entries], [.. forms]);
        }
    }
}
