using System.IO.Hashing;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>Packs documents into examples and counts them. Not safe for several threads.</summary>
internal sealed class DocumentPacker(Vocabulary vocabulary, ExampleOptions options, ulong seed)
{
    private readonly EncodedDocument encoded = new();
    private readonly ExampleBuilder builder = new(options, vocabulary.ClassifierId, vocabulary.SeparatorId);

    /// <summary>Documents packed.</summary>
    public long Documents { get; private set; }

    /// <summary>Their tokens.</summary>
    public TokenTally Tokens { get; } = new(vocabulary);

    /// <summary>What was packed; of the examples that were made nothing is known here.</summary>
    public TokenizeResult Counts => Tokens.AddTo(new TokenizeResult(Documents, 0, 0, 0, 0, 0));

    /// <summary>Packs a text in the form of <see cref="Corpus.Document.Text"/>, for the split that its hash chooses.</summary>
    public void Pack(ReadOnlySpan<byte> text, ITokenizer tokenizer, ExampleReceiver train, ExampleReceiver heldOut)
    {
        encoded.Encode(text, tokenizer);
        Pack(encoded, XxHash3.HashToUInt64(text), train, heldOut);
    }

    /// <summary>Packs a document that is tokens already; <paramref name="hash"/> stands for its text.</summary>
    public void Pack(EncodedDocument document, ulong hash, ExampleReceiver train, ExampleReceiver heldOut)
    {
        builder.Build(document, seed, hash, IsHeldOut(hash, options.HeldOutShare) ? heldOut : train);
        Documents++;
        Tokens.Add(document.Ids);
    }

    // Mixed once more: the parts are chosen by the hash of the same text, and every part should hold out the same share.
    private static bool IsHeldOut(ulong hash, double share) => (CounterRandom.Mix(hash) >> 11) * (1.0 / (1L << 53)) < share;
}
