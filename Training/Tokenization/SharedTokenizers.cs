using System.Security.Cryptography;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>
/// The tokenizer of a "vocabulary" artifact, shared by all who ask for the same one in a row: the parts of a dataset are tokenized by
/// stages that know nothing of each other, and the tables take as long to make as megabytes of text to tokenize. Safe for several threads.
/// </summary>
internal static class SharedTokenizers
{
    private static readonly Lock Turn = new();

    // Some megabytes. Collected and made again between two parts, as a weak reference would have it, they cost more than they weigh.
    private static (string Digest, TokenizerOptions Options, WordPieceTokenizer Tokenizer)? latest;

    /// <summary>The tokenizer of a folder that <see cref="VocabularyStore.Write"/> made.</summary>
    /// <exception cref="PermanentException">A file is missing or malformed.</exception>
    public static (WordPieceTokenizer Tokenizer, TokenizerOptions Options) Of(string folder)
    {
        TokenizerOptions options = VocabularyStore.ReadOptions(folder);
        string path = Path.Combine(folder, VocabularyStore.VocabularyName);
        string digest = Convert.ToHexStringLower(SHA256.HashData(VocabularyFile.ReadBytes(path)));
        lock (Turn)
        {
            if (latest is not { } known || known.Digest != digest || known.Options != options)
            {
                latest = known = (digest, options, new WordPieceTokenizer(Vocabulary.Load(path), options));
            }

            return (known.Tokenizer, options);
        }
    }
}
