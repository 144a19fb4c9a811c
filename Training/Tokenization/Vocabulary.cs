using System.Security.Cryptography;
using System.Text;

namespace ElectraPipeline.Training.Tokenization;

/// <summary>The tokens of a model: a token's id is its place. Immutable.</summary>
public sealed class Vocabulary
{
    private readonly string[] tokens;
    private readonly Dictionary<string, int> ids;
    private readonly string name;

    /// <summary>A vocabulary of <paramref name="tokens"/> in order of id.</summary>
    /// <exception cref="PermanentException">A token is empty, holds a line break or appears twice.</exception>
    public Vocabulary(IReadOnlyList<string> tokens)
        : this(tokens, "the vocabulary", digest: null) { }

    private Vocabulary(IReadOnlyList<string> tokens, string name, string? digest)
    {
        this.tokens = [.. tokens];
        this.name = name;
        ids = new Dictionary<string, int>(tokens.Count, StringComparer.Ordinal);
        for (int id = 0; id < tokens.Count; id++)
        {
            Add(tokens[id], id);
        }

        Digest = digest ?? Convert.ToHexStringLower(SHA256.HashData(ToBytes()));
    }

    /// <summary>How many tokens there are; ids are 0 to Count - 1.</summary>
    public int Count => tokens.Length;

    /// <summary>SHA-256 of the vocab.txt file's bytes, in lower-case hexadecimal.</summary>
    public string Digest { get; }

    /// <summary>Id of [PAD].</summary>
    /// <exception cref="PermanentException">The vocabulary has no such token.</exception>
    public int PadId => IdOfSpecial(SpecialTokens.Pad);

    /// <summary>Id of [UNK].</summary>
    /// <exception cref="PermanentException">The vocabulary has no such token.</exception>
    public int UnknownId => IdOfSpecial(SpecialTokens.Unknown);

    /// <summary>Id of [CLS].</summary>
    /// <exception cref="PermanentException">The vocabulary has no such token.</exception>
    public int ClassifierId => IdOfSpecial(SpecialTokens.Classifier);

    /// <summary>Id of [SEP].</summary>
    /// <exception cref="PermanentException">The vocabulary has no such token.</exception>
    public int SeparatorId => IdOfSpecial(SpecialTokens.Separator);

    /// <summary>Id of [MASK].</summary>
    /// <exception cref="PermanentException">The vocabulary has no such token.</exception>
    public int MaskId => IdOfSpecial(SpecialTokens.Mask);

    /// <summary>Reads a vocab.txt: UTF-8, one token a line, the line's number (from 0) its id. A byte order mark is dropped.</summary>
    /// <exception cref="PermanentException">
    /// The file is missing, not UTF-8, has an empty line, a token twice, or lacks one of the special tokens that are needed.
    /// </exception>
    /// <param name="path">The file.</param>
    /// <param name="needed">Special tokens that must be there; null: all five, as training needs them.</param>
    /// <param name="sha256">What <see cref="Digest"/> must be; null: any.</param>
    /// <exception cref="IOException">The file's digest is another.</exception>
    public static Vocabulary Load(string path, IReadOnlyList<string>? needed = null, string? sha256 = null)
    {
        byte[] bytes = VocabularyFile.ReadBytes(path, sha256);
        var vocabulary = new Vocabulary(VocabularyFile.Parse(bytes, path), path, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        foreach (string special in needed ?? SpecialTokens.All)
        {
            vocabulary.IdOfSpecial(special);
        }

        return vocabulary;
    }

    /// <summary>The token of <paramref name="id"/>, "##" included.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such id.</exception>
    public string TokenOf(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, tokens.Length);
        return tokens[id];
    }

    /// <summary>The id of <paramref name="token"/>, compared by code units.</summary>
    public bool TryGetId(string token, out int id) => ids.TryGetValue(token, out id);

    /// <summary>Writes a vocab.txt: UTF-8 without byte order mark, one token and a line feed a line.</summary>
    public void Save(string path) => DurableFile.Write(path, ToBytes());

    private byte[] ToBytes()
    {
        byte[] bytes = new byte[tokens.Sum(token => Encoding.UTF8.GetByteCount(token) + 1)];
        int length = 0;
        foreach (string token in tokens)
        {
            length += Encoding.UTF8.GetBytes(token, bytes.AsSpan(length));
            bytes[length++] = (byte)'\n';
        }

        return bytes;
    }

    private void Add(string token, int id)
    {
        if (token.Length == 0 || token.AsSpan().IndexOfAny('\r', '\n') >= 0)
        {
            throw new PermanentException($"{name}, line {id + 1}: a token must not be empty or hold a line break; remove or mend the line");
        }

        if (!ids.TryAdd(token, id))
        {
            throw new PermanentException(
                $"{name}, line {id + 1}: token \"{token}\" already stands on line {ids[token] + 1}; every token needs an id of its own"
            );
        }
    }

    private int IdOfSpecial(string token) =>
        ids.TryGetValue(token, out int id)
            ? id
            : throw new PermanentException($"{name} ({Count} lines): no line is \"{token}\", which is needed here; add it");
}
