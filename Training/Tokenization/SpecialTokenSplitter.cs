using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>Finds special tokens spelled in raw text: exactly, before normalization, anywhere.</summary>
internal sealed class SpecialTokenSplitter(Vocabulary vocabulary)
{
    private readonly (byte[] Utf8, int Id)[] tokens =
    [
        .. SpecialTokens.All.Select(token => (Encoding.UTF8.GetBytes(token), IdOf(vocabulary, token))),
    ];

    /// <summary>The first special token in <paramref name="text"/>; no special token starts another.</summary>
    public bool TryFind(ReadOnlySpan<byte> text, out int start, out int length, out int id)
    {
        start = 0;
        while (true)
        {
            int bracket = text[start..].IndexOf((byte)'[');
            if (bracket < 0)
            {
                (length, id) = (0, 0);
                return false;
            }

            start += bracket;
            foreach ((byte[] token, int tokenId) in tokens)
            {
                if (text[start..].StartsWith(token))
                {
                    (length, id) = (token.Length, tokenId);
                    return true;
                }
            }

            start++;
        }
    }

    private static int IdOf(Vocabulary vocabulary, string token) =>
        vocabulary.TryGetId(token, out int id)
            ? id
            : throw new PermanentException($"special tokens are to be recognized in text, but the vocabulary has no {token}");
}
