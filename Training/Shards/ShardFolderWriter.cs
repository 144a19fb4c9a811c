using System.Security.Cryptography;
using System.Text.Json;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>Writes a shard folder: train.shard, heldout.shard, the vocabulary, and last manifest.json.</summary>
internal sealed class ShardFolderWriter : IDisposable
{
    private readonly string folder;
    private readonly Vocabulary vocabulary;
    private readonly TokenizerOptions tokenizer;

    /// <summary>Starts a folder whose examples <paramref name="options"/> makes with that tokenizer.</summary>
    public ShardFolderWriter(string folder, Vocabulary vocabulary, TokenizerOptions tokenizer, ExampleOptions options)
        : this(folder, vocabulary, tokenizer, HeaderOf(vocabulary, tokenizer, options)) { }

    /// <summary>Starts a folder of shards with this header.</summary>
    public ShardFolderWriter(string folder, Vocabulary vocabulary, TokenizerOptions tokenizer, ShardHeader header)
    {
        this.folder = folder;
        this.vocabulary = vocabulary;
        this.tokenizer = tokenizer;
        Directory.CreateDirectory(folder);
        Train = new ShardWriter(Path.Combine(folder, ExampleSet.FileNameOf(Split.Train)), header);
        try
        {
            HeldOut = new ShardWriter(Path.Combine(folder, ExampleSet.FileNameOf(Split.HeldOut)), header);
        }
        catch
        {
            Train.Dispose();
            throw;
        }
    }

    /// <summary>Takes the examples to train on.</summary>
    public ShardWriter Train { get; }

    /// <summary>Takes the examples of held-out documents.</summary>
    public ShardWriter HeldOut { get; }

    /// <summary>Finishes the shards and writes the manifest; returns the counts with those of the shards.</summary>
    /// <param name="counts">What was read.</param>
    /// <param name="part">Part of the documents.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <param name="options">How documents became examples.</param>
    public TokenizeResult Commit(TokenizeResult counts, int part, ulong seed, ExampleOptions options)
    {
        counts = counts with
        {
            TokensOut = Train.TextTokens + HeldOut.TextTokens,
            TrainExamples = Train.Count,
            HeldOutExamples = HeldOut.Count,
        };
        CheckSums(counts, options);

        // Each waits for the disk.
        Task<ShardFile> train = Task.Run(Train.Commit),
            heldOut = Task.Run(HeldOut.Commit);
        Task rest = Task.Run(() => VocabularyStore.Write(folder, vocabulary, tokenizer));
        Task.WhenAll(train, heldOut, rest).GetAwaiter().GetResult();
        ShardFile[] files = [train.Result, heldOut.Result];
        new ShardsManifest(ShardsManifest.CurrentVersion, part, seed, options, vocabulary.Digest, counts, files).Write(folder);
        return counts;
    }

    public void Dispose()
    {
        Train.Dispose();
        HeldOut.Dispose();
    }

    /// <summary>Books that do not balance mean lost text: better no shard than one nobody can vouch for.</summary>
    private static void CheckSums(TokenizeResult counts, ExampleOptions options)
    {
        if (counts.TokensOut > counts.TokensIn || (options.Overflow == "carry" && counts.TokensOut != counts.TokensIn))
        {
            throw new InvalidOperationException($"{counts.TokensIn} tokens in, {counts.TokensOut} out: this is a fault of the program");
        }
    }

    private static ShardHeader HeaderOf(Vocabulary vocabulary, TokenizerOptions tokenizerOptions, ExampleOptions options) =>
        new(
            vocabulary.Count <= ushort.MaxValue + 1 ? 2 : 4,
            options.SequenceLength,
            vocabulary.PadId,
            Convert.FromHexString(vocabulary.Digest),
            SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new { options, tokenizerOptions }))
        );
}
