using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>Splits UTF-8 text into normalized words: 64 bytes at a time where it is ASCII, character by character elsewhere.</summary>
internal struct WordScanner
{
    private const int BlockSize = 64;

    /// <summary>A block's last word may be loaded as 16 bytes from its last byte.</summary>
    private const int Reach = BlockSize + 16;

    private static readonly byte[] Masks = [.. Enumerable.Repeat((byte)0xFF, 16), .. Enumerable.Repeat((byte)0, 16)];

    private readonly NormalizationTable table;
    private readonly int maxCodePoints;
    private byte[] word = [];
    private int wordBytes;
    private int wordCodePoints;

    private WordScanner(NormalizationTable table, int maxCodePoints)
    {
        this.table = table;
        this.maxCodePoints = maxCodePoints;
    }

    /// <summary>Feeds every word of <paramref name="text"/> to <paramref name="sink"/>. Invalid bytes count as U+FFFD: removed.</summary>
    public static void Scan<TSink>(ReadOnlySpan<byte> text, NormalizationTable table, int maxCodePoints, ref TSink sink)
        where TSink : struct, IWordSink, allows ref struct
    {
        var scanner = new WordScanner(table, maxCodePoints);
        int position = scanner.ScanRange(text, text.Length - Reach, ref sink);
        if (position < text.Length)
        {
            scanner.ScanEnd(text[position..], ref sink);
        }

        if (scanner.word.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(scanner.word);
        }
    }

    /// <summary>The last bytes, where a block would reach beyond the text: copied, with spaces behind them.</summary>
    [SkipLocalsInit]
    private void ScanEnd<TSink>(scoped ReadOnlySpan<byte> rest, scoped ref TSink sink)
        where TSink : struct, IWordSink, allows ref struct
    {
        Span<byte> padded = stackalloc byte[2 * Reach];
        if (rest.Length > Reach)
        {
            throw new InvalidOperationException($"{rest.Length} bytes were left unscanned");
        }

        rest.CopyTo(padded);
        padded[rest.Length..].Fill((byte)' ');
        ScanRange(padded, rest.Length, ref sink);
    }

    /// <summary>Scans from 0 until the position is at or past <paramref name="stop"/>; returns it. At a word's start on return.</summary>
    /// <remarks>Not inlined: within a caller's loop the compiler has too few registers for this one, a seventh of its speed.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int ScanRange<TSink>(scoped ReadOnlySpan<byte> text, int stop, scoped ref TSink sink)
        where TSink : struct, IWordSink, allows ref struct
    {
        int position = 0;
        while (position < stop)
        {
            int scanned = ScanBlock(ref Unsafe.Add(ref MemoryMarshal.GetReference(text), position), out bool stopped, ref sink);
            position += scanned;
            if (stopped)
            {
                position = ScanCharacters(text, position, ref sink);
            }
        }

        return position;
    }

    /// <summary>
    /// Scans 64 bytes up to the first that is neither a printable ASCII character nor ASCII white space, or to the start of a word
    /// that goes on behind the block. Returns how many bytes were dealt with; <paramref name="stopped"/>: another block would get no
    /// further.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int ScanBlock<TSink>(ref byte block, out bool stopped, scoped ref TSink sink)
        where TSink : struct, IWordSink, allows ref struct
    {
        AsciiBlock.Classify(ref block, out ulong letters, out ulong punctuation, out ulong irregular);
        int length = BitOperations.TrailingZeroCount(irregular);

        // A run of letters that touches the end may go on there: it is left for the next call.
        length -= length == 0 ? 0 : BitOperations.LeadingZeroCount(~(letters << (BlockSize - length)));
        stopped = irregular != 0 || length == 0;
        ulong inside = length == BlockSize ? ulong.MaxValue : (1UL << length) - 1;
        letters &= inside;
        punctuation &= inside;

        ulong starts = (letters & ~(letters << 1)) | punctuation;
        ulong lasts = (letters & ~(letters >> 1)) | punctuation;
        ulong lineFeeds = TSink.SeesLines ? AsciiBlock.LineFeeds(ref block) & inside : 0;
        sink.Expect(BlockSize);
        while (lineFeeds != 0)
        {
            // Up to the first of them.
            ulong line = lineFeeds ^ (lineFeeds - 1);
            ScanWords(ref block, starts & line, lasts & line, ref sink);
            sink.EndLine();
            starts &= ~line;
            lasts &= ~line;
            lineFeeds &= lineFeeds - 1;
        }

        ScanWords(ref block, starts, lasts, ref sink);
        return length;
    }

    /// <summary>Takes the words of a block whose first and last bytes are told.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ScanWords<TSink>(ref byte block, ulong starts, ulong lasts, scoped ref TSink sink)
        where TSink : struct, IWordSink, allows ref struct
    {
        bool lowersCase = table.LowersCase;
        while (starts != 0)
        {
            int start = BitOperations.TrailingZeroCount(starts);
            int bytes = BitOperations.TrailingZeroCount(lasts) - start + 1;
            starts &= starts - 1;
            lasts &= lasts - 1;
            ref byte first = ref Unsafe.Add(ref block, start);
            if (bytes > 16)
            {
                AppendAscii(MemoryMarshal.CreateReadOnlySpan(ref first, bytes));
                Flush(ref sink);
                continue;
            }

            Vector128<byte> characters = Vector128.LoadUnsafe(ref first);
            if (lowersCase)
            {
                characters = AsciiBlock.Lower(characters);
            }

            sink.Short(characters & Vector128.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(Masks), (nuint)(16 - bytes)), bytes);
        }
    }

    /// <summary>
    /// One word or separator after the other, until the next character is ASCII at a word's start. Always makes progress.
    /// </summary>
    private int ScanCharacters<TSink>(scoped ReadOnlySpan<byte> text, int position, scoped ref TSink sink)
        where TSink : struct, IWordSink, allows ref struct
    {
        while (position < text.Length)
        {
            int scalar = text[position];
            int bytes = 1;
            if (scalar >= 0x80 && Rune.DecodeFromUtf8(text[position..], out Rune rune, out bytes) == OperationStatus.Done)
            {
                scalar = rune.Value;
            }
            else if (scalar >= 0x80)
            {
                position += bytes;
                continue;
            }

            NormalizationTable.Entry entry = table[scalar];
            ReadOnlySpan<byte> form = entry.HasForm ? table.FormOf(entry) : text.Slice(position, bytes);
            position += bytes;
            switch (entry.Action)
            {
                case CharacterAction.Keep or CharacterAction.Replace:
                    Append(form, entry.CodePoints);
                    continue;
                case CharacterAction.Isolate:
                    Flush(ref sink);
                    sink.Any(form, entry.CodePoints);
                    break;
                case CharacterAction.Space:
                    Flush(ref sink);
                    if (TSink.SeesLines && scalar == '\n')
                    {
                        sink.EndLine();
                    }

                    break;
                default:
                    continue;
            }

            if (position < text.Length && text[position] < 0x80)
            {
                return position;
            }
        }

        Flush(ref sink);
        return position;
    }

    private void AppendAscii(scoped ReadOnlySpan<byte> characters)
    {
        foreach (byte character in characters)
        {
            NormalizationTable.Entry entry = table[character];
            Append(entry.HasForm ? table.FormOf(entry) : [character], 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Append(scoped ReadOnlySpan<byte> form, int codePoints)
    {
        wordCodePoints += codePoints;
        if (wordCodePoints > maxCodePoints)
        {
            return;
        }

        if (wordBytes + form.Length > word.Length)
        {
            Grow();
        }

        form.CopyTo(word.AsSpan(wordBytes));
        wordBytes += form.Length;
    }

    private void Flush<TSink>(scoped ref TSink sink)
        where TSink : struct, IWordSink, allows ref struct
    {
        if (wordCodePoints > 0)
        {
            sink.Any(word.AsSpan(0, wordBytes), wordCodePoints);
            wordBytes = 0;
            wordCodePoints = 0;
        }
    }

    private void Grow()
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(256, word.Length * 2));
        word.AsSpan(0, wordBytes).CopyTo(larger);
        if (word.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(word);
        }

        word = larger;
    }
}
