using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// BERT's tokenizer over UTF-8: words that are tokens are looked up whole, the others are split by one pass over a trie. Allocates
/// nothing but what the list of ids needs. Safe to use from any number of threads.
/// </summary>
public sealed class WordPieceTokenizer : ITokenizer
{
    private readonly NormalizationTable table;
    private readonly WordTable words;
    private readonly WordPieceTrie trie;
    private readonly SpecialTokenSplitter? specials;
    private readonly int maxWordLength;
    private readonly int unknownId;

    /// <summary>Prepares the tables (about 50 ms for 30,000 tokens).</summary>
    /// <exception cref="PermanentException">The vocabulary lacks [UNK] or, where text may spell them, another special token.</exception>
    public WordPieceTokenizer(Vocabulary vocabulary, TokenizerOptions options)
    {
        Vocabulary = vocabulary;
        unknownId = vocabulary.UnknownId;
        maxWordLength = options.Validated().MaxWordLength;
        table = NormalizationTable.For(options);
        specials = options.SpecialTokensInText ? new SpecialTokenSplitter(vocabulary) : null;

        var whole = new List<(byte[] Token, int Id)>();
        var pieces = new List<(byte[] Token, bool Continues, int Id)>();
        for (int id = 0; id < vocabulary.Count; id++)
        {
            string token = vocabulary.TokenOf(id);
            bool continues = token.Length > 2 && token.StartsWith("##", StringComparison.Ordinal);
            byte[] bytes = Encoding.UTF8.GetBytes(continues ? token[2..] : token);
            pieces.Add((bytes, continues, id));
            if (!continues && bytes.Length <= 16 && !bytes.Contains((byte)0) && token.EnumerateRunes().Count() <= maxWordLength)
            {
                whole.Add((bytes, id));
            }
        }

        words = new WordTable(whole);
        trie = new WordPieceTrie(pieces);
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids) => Encode(utf8, ids, ends: null);

    /// <inheritdoc/>
    public void EncodeLines(ReadOnlySpan<byte> utf8, List<int> ids, List<int> ends)
    {
        ids.Clear();
        ends.Clear();
        Encode(utf8, ids, ends);
        EndLine(ends, ids.Count);
    }

    /// <inheritdoc/>
    public void Encode(string text, List<int> ids)
    {
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        int length = Encoding.UTF8.GetBytes(text, utf8);
        Encode(utf8.AsSpan(0, length), ids);
        ArrayPool<byte>.Shared.Return(utf8);
    }

    private void Encode(ReadOnlySpan<byte> utf8, List<int> ids, List<int>? ends)
    {
        if (specials is null)
        {
            EncodeText(utf8, ids, ends);
            return;
        }

        while (specials.TryFind(utf8, out int start, out int length, out int id))
        {
            EncodeText(utf8[..start], ids, ends);
            ids.Add(id);
            utf8 = utf8[(start + length)..];
        }

        EncodeText(utf8, ids, ends);
    }

    /// <summary>Ends a line, unless nothing is in it.</summary>
    private static void EndLine(List<int> ends, int count)
    {
        if (count > (ends.Count > 0 ? ends[^1] : 0))
        {
            ends.Add(count);
        }
    }

    private void EncodeText(ReadOnlySpan<byte> utf8, List<int> ids, List<int>? ends)
    {
        var sink = new IdSink(this, ids, ends);
        WordScanner.Scan(utf8, table, maxWordLength, ref sink);
        sink.Finish();
    }

    /// <summary>Writes into the list's own storage, ahead of its count, which is set right at the end.</summary>
    private ref struct IdSink(WordPieceTokenizer tokenizer, List<int> ids, List<int>? ends) : IWordSink
    {
        private readonly WordTable words = tokenizer.words;
        private Span<int> room = CollectionsMarshal.AsSpan(ids);
        private int count = ids.Count;

        public static bool SeesLines => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Expect(int bytes)
        {
            if (room.Length - count < bytes)
            {
                Grow(bytes);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Short(Vector128<byte> word, int length)
        {
            int id = words.IdOf(word);
            if (id >= 0)
            {
                room[count++] = id;
            }
            else
            {
                Split(word, length);
            }
        }

        public void Any(scoped ReadOnlySpan<byte> word, int codePoints)
        {
            Expect(word.Length + 1);
            if (codePoints > tokenizer.maxWordLength)
            {
                room[count++] = tokenizer.unknownId;
                return;
            }

            int id = word.Length <= 16 ? words.IdOf(WordTable.Pack(word)) : -1;
            if (id >= 0)
            {
                room[count++] = id;
            }
            else
            {
                Split(word, codePoints);
            }
        }

        public readonly void EndLine()
        {
            if (ends is not null)
            {
                WordPieceTokenizer.EndLine(ends, count);
            }
        }

        public readonly void Finish() => CollectionsMarshal.SetCount(ids, count);

        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Split(Vector128<byte> word, int length)
        {
            Span<byte> bytes = stackalloc byte[16];
            word.CopyTo(bytes);
            Split(bytes[..length], length);
        }

        private void Split(scoped ReadOnlySpan<byte> word, int codePoints)
        {
            int matched = codePoints > tokenizer.maxWordLength ? 0 : tokenizer.trie.Match(word, room[count..]);
            if (matched == 0)
            {
                room[count] = tokenizer.unknownId;
                matched = 1;
            }

            count += matched;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Grow(int bytes)
        {
            CollectionsMarshal.SetCount(ids, Math.Max(count + bytes, ids.Capacity));
            if (ids.Count - count < 4 * bytes)
            {
                CollectionsMarshal.SetCount(ids, Math.Max(2 * ids.Count, count + (4 * bytes)));
            }

            room = CollectionsMarshal.AsSpan(ids);
        }
    }
}
