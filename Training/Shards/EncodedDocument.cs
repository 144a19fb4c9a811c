using System.Runtime.InteropServices;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>The ids of a document's sentences, one after the other, and where each ends. Used again for the next document.</summary>
public sealed class EncodedDocument
{
    private readonly List<int> ids = [];
    private readonly List<int> ends = [];

    /// <summary>The ids of all sentences.</summary>
    public ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(ids);

    /// <summary>Where each sentence ends in <see cref="Ids"/>; empty sentences are left out.</summary>
    public ReadOnlySpan<int> SentenceEnds => CollectionsMarshal.AsSpan(ends);

    /// <summary>Forgets the document.</summary>
    public void Clear()
    {
        ids.Clear();
        ends.Clear();
    }

    /// <summary>Adds a sentence of ids.</summary>
    public void Add(ReadOnlySpan<int> sentence)
    {
        if (!sentence.IsEmpty)
        {
            ids.AddRange(sentence);
            ends.Add(ids.Count);
        }
    }

    /// <summary>Takes the sentences of a text, one a line, in place of the document before.</summary>
    public void Encode(ReadOnlySpan<byte> utf8, ITokenizer tokenizer) => tokenizer.EncodeLines(utf8, ids, ends);
}
