using System.Text;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench.Fuzzing;

/// <summary>
/// Random vocabularies and texts over few characters, so that pieces overlap and matching has to go back: both tokenizers must agree, and
/// a text must give the same ids in one piece as line by line.
/// </summary>
internal static class TokenizerFuzzing
{
    private static readonly string[] Letters =
    [
        "a",
        "b",
        "c",
        "B",
        "ä",
        "é",
        "ß",
        "İ",
        "д",
        "ह",
        "日",
        "本",
        "가",
        "😀",
        "1",
        ".",
        "[",
        "]",
        "-",
    ];
    private static readonly string[] Others =
    [
        " ",
        " ",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\u0000",
        "\u00AD",
        "\u0301",
        "\u200D",
        "\u3000",
        "\uFFFD",
        "[MASK]",
        "[SEP]",
        "[mask]",
        "##",
    ];

    public static void Run(CounterRandom random, string folder)
    {
        var options = new TokenizerOptions
        {
            LowerCase = random.Next(2) == 0,
            StripAccents = random.Next(3) switch
            {
                0 => true,
                1 => false,
                _ => null,
            },
            TokenizeChineseCharacters = random.Next(2) == 0,
            MaxWordLength = random.Next(3) == 0 ? 1 + random.Next(8) : 100,
            SpecialTokensInText = random.Next(2) == 0,
        };
        var vocabulary = new Vocabulary(Tokens(ref random));
        var ours = new WordPieceTokenizer(vocabulary, options);
        var reference = new ReferenceTokenizer(vocabulary, options);
        for (int i = 0; i < 8; i++)
        {
            byte[] text = Text(ref random);
            List<int> actual = Ids(ours, text);
            List<int> expected = Ids(reference, text);
            if (!actual.SequenceEqual(expected))
            {
                throw new InvalidOperationException(
                    $"{options}\nvocabulary {string.Join(' ', Enumerable.Range(0, vocabulary.Count).Select(vocabulary.TokenOf))}\n"
                        + $"text {Convert.ToHexString(text)}\nours {string.Join(' ', actual)}\nreference {string.Join(' ', expected)}"
                );
            }
        }
    }

    private static List<int> Ids(ITokenizer tokenizer, byte[] text)
    {
        var ids = new List<int>();
        tokenizer.Encode(text, ids);
        return ids;
    }

    private static List<string> Tokens(ref CounterRandom random)
    {
        int letters = 2 + random.Next(Letters.Length - 1);
        var tokens = new List<string>(SpecialTokens.All);
        var seen = new HashSet<string>(tokens);
        for (int count = random.Next(120); count > 0; count--)
        {
            var token = new StringBuilder(random.Next(2) == 0 ? "##" : "");
            for (int length = 1 + random.Next(random.Next(5) == 0 ? 20 : 5); length > 0; length--)
            {
                token.Append(Letters[random.Next(letters)]);
            }

            if (seen.Add(token.ToString()))
            {
                tokens.Add(token.ToString());
            }
        }

        return tokens;
    }

    private static byte[] Text(ref CounterRandom random)
    {
        int letters = 2 + random.Next(Letters.Length - 1);
        var text = new List<byte>();
        for (int pieces = random.Next(120); pieces > 0; pieces--)
        {
            string piece =
                random.Next(5) == 0 ? Others[random.Next(Others.Length)]
                : random.Next(60) == 0 ? new Rune(Scalar(random.Next(0x110000))).ToString()
                : Letters[random.Next(letters)];
            text.AddRange(Encoding.UTF8.GetBytes(piece));
            if (random.Next(100) == 0)
            {
                text.Add((byte)random.Next(256));
            }
        }

        return [.. text];
    }

    private static int Scalar(int number) => number is >= 0xD800 and < 0xE000 ? 'x' : number;
}
