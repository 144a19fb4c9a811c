using System.Globalization;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// What BERT's normalizer does to each Unicode scalar, as Hugging Face's implementation does it. The data is our own file, not the
/// platform's Unicode tables: those change with the runtime, and with InvariantGlobalization string.Normalize does nothing.
/// </summary>
/// <remarks>
/// character-classes.txt, code points in hexadecimal: "removed", "space", "ideograph", "mark" and "punctuation" list ranges;
/// "lower a-b/step&gt;c" maps a to c, a + step to c + step and so on; "decompose a,b&gt;c.d" maps a and b to c d (canonical
/// decomposition without marks). Hangul syllables are decomposed by arithmetic.
/// </remarks>
internal sealed class CharacterClasses
{
    private static readonly Lazy<CharacterClasses> Shared = new(() => new CharacterClasses());

    private readonly Dictionary<string, List<(int First, int Last)>> ranges = [];

    private CharacterClasses()
    {
        using Stream stream =
            typeof(CharacterClasses).Assembly.GetManifestResourceStream("character-classes.txt")
            ?? throw new InvalidOperationException("character-classes.txt is not embedded in the assembly");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            string[] items = line.Split(' ');
            if (items[0] != "#")
            {
                Read(items[0], items.AsSpan(1));
            }
        }
    }

    /// <summary>The table of this assembly.</summary>
    public static CharacterClasses Instance => Shared.Value;

    /// <summary>Control, format, private-use and replacement characters: dropped, without ending a word.</summary>
    public IReadOnlyList<(int First, int Last)> Removed => ranges["removed"];

    /// <summary>Become a space.</summary>
    public IReadOnlyList<(int First, int Last)> Spaces => ranges["space"];

    /// <summary>CJK ideographs: words of their own if the option says so.</summary>
    public IReadOnlyList<(int First, int Last)> Ideographs => ranges["ideograph"];

    /// <summary>Non-spacing marks, dropped with accents.</summary>
    public IReadOnlyList<(int First, int Last)> Marks => ranges["mark"];

    /// <summary>Words of their own.</summary>
    public IReadOnlyList<(int First, int Last)> Punctuation => ranges["punctuation"];

    /// <summary>Lower-case forms of the characters that have one.</summary>
    public Dictionary<int, int[]> LowerCase { get; } = [];

    /// <summary>What is left of a character after decomposition when the marks are gone, where that differs; Hangul not included.</summary>
    public Dictionary<int, int[]> Decompositions { get; } = [];

    private void Read(string keyword, ReadOnlySpan<string> items)
    {
        foreach (string item in items)
        {
            switch (keyword)
            {
                case "lower":
                    ReadLowerCase(item);
                    break;
                case "decompose":
                    ReadDecomposition(item);
                    break;
                default:
                    (ranges.TryGetValue(keyword, out var list) ? list : ranges[keyword] = []).Add(Range(item));
                    break;
            }
        }
    }

    private void ReadLowerCase(string item)
    {
        string[] sides = item.Split('>');
        string[] source = sides[0].Split('/');
        (int first, int last) = Range(source[0]);
        int step = source.Length == 1 ? 1 : Number(source[1]);
        int[] target = [.. sides[1].Split('.').Select(Number)];
        for (int from = first; from <= last; from += step)
        {
            LowerCase.Add(from, target.Length > 1 ? target : [target[0] + from - first]);
        }
    }

    private void ReadDecomposition(string item)
    {
        string[] sides = item.Split('>');
        int[] target = [.. sides[1].Split('.').Select(Number)];
        foreach (string source in sides[0].Split(','))
        {
            Decompositions.Add(Number(source), target);
        }
    }

    private static (int First, int Last) Range(string item)
    {
        string[] ends = item.Split('-');
        return (Number(ends[0]), Number(ends[^1]));
    }

    private static int Number(string hexadecimal) => int.Parse(hexadecimal, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
