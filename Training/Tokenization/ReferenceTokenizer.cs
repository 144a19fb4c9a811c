using System.Text;
using Microsoft.ML.Tokenizers;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// Microsoft.ML.Tokenizers set up so that its ids are Hugging Face's. Its defaults differ on one real line in seven: symbols are
/// dropped, lines joined, special tokens matched in any case. Kept as the independent implementation that
/// <see cref="WordPieceTokenizer"/> is held against.
/// </summary>
public sealed class ReferenceTokenizer : ITokenizer
{
    private const int LongestWord = 10_000;

    private readonly BertTokenizer tokenizer;
    private readonly SpecialTokenSplitter? specials;

    /// <summary>Sets the package up for a vocabulary.</summary>
    /// <exception cref="PermanentException">The vocabulary lacks a special token.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The longest word is above 10,000 code points, more than the package can take.
    /// </exception>
    public ReferenceTokenizer(Vocabulary vocabulary, TokenizerOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxWordLength, LongestWord);
        Vocabulary = vocabulary;
        specials = options.SpecialTokensInText ? new SpecialTokenSplitter(vocabulary) : null;
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(Tokens(vocabulary).Select(token => token + "\n"))));
        tokenizer = BertTokenizer.Create(
            file,
            new BertOptions
            {
                Normalizer = new ReferenceNormalizer(options.Validated()),
                PreTokenizer = PreTokenizer.CreateWhiteSpace(),
                SplitOnSpecialTokens = false,
                ApplyBasicTokenization = false,
                LowerCaseBeforeTokenization = false,

                // In UTF-16 units, and that many are put on the stack; the normalizer has already replaced words of too many code points.
                MaxInputCharsPerWord = 2 * options.MaxWordLength,
            }
        );
    }

    /// <inheritdoc/>
    public Vocabulary Vocabulary { get; }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids)
    {
        while (specials is not null && specials.TryFind(utf8, out int start, out int length, out int id))
        {
            EncodeText(Encoding.UTF8.GetString(utf8[..start]), ids);
            ids.Add(id);
            utf8 = utf8[(start + length)..];
        }

        EncodeText(Encoding.UTF8.GetString(utf8), ids);
    }

    /// <inheritdoc/>
    public void Encode(string text, List<int> ids)
    {
        if (specials is null)
        {
            EncodeText(text, ids);
        }
        else
        {
            Encode(Encoding.UTF8.GetBytes(text).AsSpan(), ids);
        }
    }

    private void EncodeText(string text, List<int> ids) =>
        ids.AddRange(tokenizer.EncodeToIds(text, addSpecialTokens: false, considerPreTokenization: true, considerNormalization: true));

    private static IEnumerable<string> Tokens(Vocabulary vocabulary) => Enumerable.Range(0, vocabulary.Count).Select(vocabulary.TokenOf);
}
