using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using ElectraPipeline.Training.Corpus.Filters;
using Xunit;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>What filters count with tables and in blocks, held against the same counted plainly.</summary>
public sealed class FilterCountingTests
{
    private static readonly string[] Pieces =
    [
        "a",
        "A",
        "the",
        "The",
        "word",
        "WORD",
        " ",
        " ",
        " ",
        "\n",
        "'",
        "’",
        "don't",
        "O’Neill",
        "3",
        "1990s",
        "é",
        "É",
        "Straße",
        "e\u0301",
        "я",
        "Слово",
        "א",
        "日",
        "本",
        "ที่",
        "😀",
        "\U00020000",
        "\U0001D400",
        "-",
        "—",
        ".",
        "\u00A0",
        "a_long_piece_with_underscores",
        "incomprehensibilities",
    ];

    [Fact]
    public void Words_are_those_of_a_scan_by_the_character()
    {
        for (ulong number = 0; number < 5_000; number++)
        {
            string text = Text(number, 60);
            var found = TextWords.Of(text);
            IReadOnlyList<(int Start, int Length)> expected = PlainWords(text);
            Assert.Equal(expected, Enumerable.Range(0, found.Count).Select(word => (found.StartOf(word), found.LengthOf(word))));
            Assert.Equal(expected.Select(word => HashOf(text.Substring(word.Start, word.Length))), found.Hashes.ToArray());
            Assert.Equal(expected.Sum(word => word.Length), found.Characters);
        }
    }

    [Fact]
    public void Repetition_is_that_of_counting_every_n_gram()
    {
        int found = 0;
        for (ulong number = 0; number < 2_000; number++)
        {
            var random = new CounterRandom(2, number);
            string[] vocabulary = [.. Enumerable.Range(0, 1 + random.Next(12)).Select(i => new string((char)('a' + i), 1 + (i % 4)))];
            string text = string.Join(' ', Enumerable.Range(0, random.Next(80)).Select(_ => vocabulary[random.Next(vocabulary.Length)]));
            var repeated = RepeatedNgrams.Borrow(TextWords.Of(text));
            foreach (int n in (int[])[2, 3, 4, 5, 7, 10, 1, 5])
            {
                repeated.Find(n);
                Assert.Equal(PlainTopShare(text, n), repeated.TopShare());
                Assert.Equal(PlainDuplicateShare(text, n), repeated.DuplicateShare());
                found += repeated.DuplicateShare() > 0 ? 1 : 0;
            }
        }

        Assert.InRange(found, 5_000, 15_000);
    }

    [Fact]
    public void Stop_words_are_counted_once_in_each_language()
    {
        var table = new StopWordTable([
            [HashOf("a"), HashOf("b"), HashOf("c")],
            [HashOf("b"), HashOf("d")],
            [],
        ]);
        Assert.Equal(0, table.MostOfOneLanguage(TextWords.Of("x y z").Hashes, 9));
        Assert.Equal(1, table.MostOfOneLanguage(TextWords.Of("a A a").Hashes, 9));
        Assert.Equal(2, table.MostOfOneLanguage(TextWords.Of("b x D").Hashes, 9));
        Assert.Equal(3, table.MostOfOneLanguage(TextWords.Of("c d b a").Hashes, 9));
        Assert.Equal(2, table.MostOfOneLanguage(TextWords.Of("c b a").Hashes, 2));
    }

    [Fact]
    public void A_counter_counts_zero_and_starts_anew()
    {
        HashCounter counter = HashCounter.Borrow(100);
        ulong[] hashes = [0, 16, 32, ulong.MaxValue, .. Enumerable.Range(0, 90).Select(i => CounterRandom.Mix((ulong)i + 1))];
        Assert.All(hashes, hash => Assert.True(counter.IsNew(hash)));
        Assert.All(hashes, hash => Assert.False(counter.IsNew(hash)));
        Assert.All(hashes, hash => Assert.Equal(3, counter[counter.Add(hash)]));
        Assert.True(HashCounter.Borrow(1).IsNew(hashes[5]));
    }

    private static string Text(ulong number, int most)
    {
        var random = new CounterRandom(1, number);
        return string.Concat(Enumerable.Range(0, random.Next(most)).Select(_ => Pieces[random.Next(Pieces.Length)]));
    }

    private static ulong HashOf(string word) =>
        XxHash3.HashToUInt64(
            MemoryMarshal.AsBytes(
                string.Concat(word.Select(character => character == '’' ? '\'' : char.ToLowerInvariant(character))).AsSpan()
            )
        );

    /// <summary>Every word's place, found one character after the other.</summary>
    private static List<(int Start, int Length)> PlainWords(string text)
    {
        var words = new List<(int Start, int Length)>();
        Rune[] runes = [.. text.EnumerateRunes()];
        int position = 0;
        bool open = false;
        for (int i = 0; i < runes.Length; position += runes[i++].Utf16SequenceLength)
        {
            Rune rune = runes[i];
            bool isMark = Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
            bool isAlone = TextWords.IsUnspacedLetter(rune.Value) && !isMark;
            bool isApostrophe =
                rune.Value is '\'' or '’' && open && !EndsAlone(text, words) && i + 1 < runes.Length && char.IsLetter(text[position + 1]);
            if (!isAlone && !isApostrophe && !isMark && !Rune.IsLetterOrDigit(rune))
            {
                open = false;
                continue;
            }

            if (open && !isAlone && (isMark || !EndsAlone(text, words)))
            {
                words[^1] = (words[^1].Start, words[^1].Length + rune.Utf16SequenceLength);
            }
            else
            {
                words.Add((position, rune.Utf16SequenceLength));
            }

            open = true;
        }

        return words;
    }

    /// <summary>Whether the last word is a letter of a script without spaces: only marks join it.</summary>
    private static bool EndsAlone(string text, List<(int Start, int Length)> words) =>
        TextWords.IsUnspacedLetter(char.ConvertToUtf32(text, words[^1].Start));

    private static double PlainTopShare(string text, int n) =>
        Share(
            text,
            Ngrams(text, n)
                .GroupBy(ngram => ngram)
                .Where(group => group.Count() > 1)
                .Select(group => group.Count() * Letters(group.Key))
                .DefaultIfEmpty(0)
                .Max()
        );

    private static double PlainDuplicateShare(string text, int n)
    {
        string[] ngrams = [.. Ngrams(text, n)];
        var seen = new HashSet<string>();
        int repeated = 0;
        for (int start = 0; start < ngrams.Length; )
        {
            bool isNew = seen.Add(ngrams[start]);
            repeated += isNew ? 0 : Letters(ngrams[start]);
            start += isNew ? 1 : n;
        }

        return Share(text, repeated);
    }

    private static IEnumerable<string> Ngrams(string text, int n)
    {
        string[] words = text.Split(' ');
        return Enumerable.Range(0, Math.Max(0, words.Length - n + 1)).Select(start => string.Join(' ', words[start..(start + n)]));
    }

    private static int Letters(string ngram) => ngram.Count(char.IsLetter);

    private static double Share(string text, int letters) => letters / (double)Math.Max(1, Letters(text));
}
