using System.IO.Hashing;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>Turns texts of documents into examples and counts them. Not safe for several threads.</summary>
internal sealed class DocumentPacker(ITokenizer tokenizer, ExampleOptions options, ulong seed)
{
    private readonly EncodedDocument document = new();
    private readonly ExampleBuilder builder = new(options, tokenizer.Vocabulary.ClassifierId, tokenizer.Vocabulary.SeparatorId);
    private readonly int unknownId = tokenizer.Vocabulary.UnknownId;

    /// <summary>Documents packed.</summary>
    public long Documents { get; private set; }

    /// <summary>Tokens of their text.</summary>
    public long Tokens { get; private set; }

    /// <summary>[UNK] among them.</summary>
    public long UnknownTokens { get; private set; }

    /// <summary>Packs a document, in the form of <see cref="Corpus.Document.Text"/>, for the split that the hash of its text chooses.</summary>
    public void Pack(ReadOnlySpan<byte> text, ExampleReceiver train, ExampleReceiver heldOut)
    {
        ulong hash = XxHash3.HashToUInt64(text);
        document.Encode(text, tokenizer);
        builder.Build(document, seed, hash, IsHeldOut(hash, options.HeldOutShare) ? heldOut : train);
        Documents++;
        Tokens += document.Ids.Length;
        UnknownTokens += document.Ids.Count(unknownId);
    }

    // Mixed once more: the parts are chosen by the hash of the same text, and every part should hold out the same share.
    internal static bool IsHeldOut(ulong hash, double share) => (CounterRandom.Mix(hash) >> 11) * (1.0 / (1L << 53)) < share;
}
