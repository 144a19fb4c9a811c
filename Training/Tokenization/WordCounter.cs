using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>Counts the normalized words of texts, split as the tokenizer splits them. Not safe for several threads at once.</summary>
public sealed class WordCounter
{
    private const int LongestWord = 10_000;

    private readonly TokenizerOptions options;
    private readonly NormalizationTable table;
    private readonly Dictionary<string, long> counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> lookup;

    /// <summary>
    /// Counts words as a tokenizer with these options splits them: also those above its limit, which it makes [UNK], as scripts without
    /// spaces have whole sentences of them. What passes 10,000 code points is encoded data rather than a word and is left out.
    /// </summary>
    public WordCounter(TokenizerOptions options)
    {
        this.options = options.Validated();
        table = NormalizationTable.For(options);
        lookup = counts.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>How often each word was seen.</summary>
    public IReadOnlyDictionary<string, long> Counts => counts;

    /// <summary>Counts the words of one text in UTF-8.</summary>
    public void Add(ReadOnlySpan<byte> utf8)
    {
        var sink = new CountingSink(this);
        WordScanner.Scan(utf8, table, LongestWord, ref sink);
    }

    /// <summary>Counts the words of one text.</summary>
    public void Add(string text) => Add(Encoding.UTF8.GetBytes(text));

    /// <summary>A counter of the same words that has counted nothing yet.</summary>
    public WordCounter Another() => new(options);

    /// <summary>Adds words that were counted before.</summary>
    public void Add(IReadOnlyDictionary<string, long> counted)
    {
        foreach ((string word, long count) in counted)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, word, out _) += count;
        }
    }

    /// <summary>Reads counts from a file of lines "word, tab, count".</summary>
    /// <exception cref="PermanentException">A line is not of that form; the message names file and line.</exception>
    public static IReadOnlyDictionary<string, long> ReadCounts(string path)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            int tab = line.LastIndexOf('\t');
            if (tab <= 0 || !long.TryParse(line.AsSpan(tab + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long count))
            {
                throw new PermanentException($"{path}, line {number}: '{line}' is not a word, a tab and a count");
            }

            CollectionsMarshal.GetValueRefOrAddDefault(counts, line[..tab], out _) += count;
        }

        return counts;
    }

    private void Count(scoped ReadOnlySpan<byte> word)
    {
        Span<char> characters = word.Length <= 256 ? stackalloc char[word.Length] : new char[word.Length];
        int length = Encoding.UTF8.GetChars(word, characters);
        CollectionsMarshal.GetValueRefOrAddDefault(lookup, characters[..length], out _)++;
    }

    private readonly struct CountingSink(WordCounter counter) : IWordSink
    {
        public static bool SeesLines => false;

        public void Expect(int bytes) { }

        public void Short(Vector128<byte> word, int length)
        {
            Span<byte> bytes = stackalloc byte[16];
            word.CopyTo(bytes);
            counter.Count(bytes[..length]);
        }

        public void Any(scoped ReadOnlySpan<byte> word, int codePoints)
        {
            if (codePoints <= LongestWord)
            {
                counter.Count(word);
            }
        }

        public void EndLine() { }
    }
}
