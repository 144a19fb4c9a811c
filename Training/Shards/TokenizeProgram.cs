using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text.Json;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>What became of one part of the documents.</summary>
/// <param name="Documents">Documents read.</param>
/// <param name="TokensIn">Tokens of their text.</param>
/// <param name="TokensOut">Tokens in examples, without [CLS], [SEP] and padding; fewer than <paramref name="TokensIn"/> with "discard".</param>
/// <param name="UnknownTokens">[UNK] among <paramref name="TokensIn"/>.</param>
/// <param name="TrainExamples">Examples to train on.</param>
/// <param name="HeldOutExamples">Examples of held-out documents.</param>
public sealed record TokenizeResult(long Documents, long TokensIn, long TokensOut, long UnknownTokens, int TrainExamples, int HeldOutExamples)
{
    /// <summary>[UNK] among the tokens, in [0, 1].</summary>
    public double UnknownShare => UnknownTokens / (double)Math.Max(1, TokensIn);
}

/// <summary>The tokenize stage: one part of the documents to one shard folder.</summary>
public static class TokenizeProgram
{
    private const int ReportEvery = 1_000;

    /// <summary>
    /// Reads part <paramref name="part"/> of the "corpus" artifact and writes train.shard, heldout.shard and manifest.json, with the
    /// vocabulary beside them, so that the folder explains its ids itself. The bytes are a function of the documents, the vocabulary,
    /// the options and the seed.
    /// </summary>
    /// <exception cref="PermanentException">An option is out of range, or the part or the vocabulary is missing or damaged.</exception>
    public static TokenizeResult Run(
        string corpusFolder,
        int part,
        string vocabularyFolder,
        ExampleOptions options,
        ulong seed,
        string outputFolder,
        IStageReporter reporter,
        CancellationToken cancellationToken)
    {
        string path = PathOf(corpusFolder, part);
        var (vocabulary, tokenizerOptions) = VocabularyStore.Read(vocabularyFolder);
        var tokenizer = new WordPieceTokenizer(vocabulary, tokenizerOptions);
        var builder = new ExampleBuilder(options.Validated(), vocabulary.ClassifierId, vocabulary.SeparatorId);
        var header = new ShardHeader(
            vocabulary.Count <= ushort.MaxValue + 1 ? 2 : 4,
            options.SequenceLength,
            0,
            vocabulary.PadId,
            Convert.FromHexString(vocabulary.Digest),
            SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new { options, tokenizerOptions })));
        VocabularyStore.Write(outputFolder, vocabulary, tokenizerOptions);
        using var train = new ShardWriter(Path.Combine(outputFolder, ExampleSet.FileNameOf(Split.Train)), header);
        using var heldOut = new ShardWriter(Path.Combine(outputFolder, ExampleSet.FileNameOf(Split.HeldOut)), header);
        var counts = new TokenizeResult(0, 0, 0, 0, 0, 0);
        long total = CorpusManifest.Read(corpusFolder).Parts[part].Documents;
        var document = new EncodedDocument();
        ExampleReceiver training = train.Add, evaluation = heldOut.Add;
        using var texts = new DocumentTextReader(path);
        while (texts.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            ulong hash = XxHash3.HashToUInt64(texts.Text);
            document.Encode(texts.Text, tokenizer);
            builder.Build(document, seed, hash, IsHeldOut(hash, options.HeldOutShare) ? evaluation : training);
            counts = counts with
            {
                Documents = counts.Documents + 1,
                TokensIn = counts.TokensIn + document.Ids.Length,
                UnknownTokens = counts.UnknownTokens + document.Ids.Count(vocabulary.UnknownId),
            };
            if (counts.Documents % ReportEvery == 0)
            {
                reporter.Progress(counts.Documents, total, "documents");
            }
        }

        counts = counts with { TokensOut = train.TextTokens + heldOut.TextTokens, TrainExamples = train.Commit(), HeldOutExamples = heldOut.Commit() };
        CheckSums(counts, options);
        ShardFile[] files = [FileOf(outputFolder, Split.Train), FileOf(outputFolder, Split.HeldOut)];
        new ShardsManifest(ShardsManifest.CurrentVersion, part, seed, options, vocabulary.Digest, counts, files).Write(outputFolder);
        reporter.Progress(counts.Documents, total, "documents");
        return counts;
    }

    private static string PathOf(string corpusFolder, int part)
    {
        IReadOnlyList<string> parts = DocumentParts.List(corpusFolder);
        return part >= 0 && part < parts.Count
            ? parts[part]
            : throw new PermanentException($"part {part} of {corpusFolder} does not exist; it has {parts.Count}, counted from 0");
    }

    private static ShardFile FileOf(string folder, Split split)
    {
        string name = ExampleSet.FileNameOf(split);
        using FileStream file = File.OpenRead(Path.Combine(folder, name));
        return new ShardFile(name, file.Length, Convert.ToHexStringLower(SHA256.HashData(file)));
    }

    /// <summary>Books that do not balance mean lost text: better no shard than one nobody can vouch for.</summary>
    private static void CheckSums(TokenizeResult counts, ExampleOptions options)
    {
        if (counts.TokensOut > counts.TokensIn || (options.Overflow == "carry" && counts.TokensOut != counts.TokensIn))
        {
            throw new InvalidOperationException($"{counts.TokensIn} tokens in, {counts.TokensOut} out: this is a fault of the program");
        }
    }

    // Mixed once more: the parts are chosen by the hash of the same text, and every part should hold out the same share.
    internal static bool IsHeldOut(ulong hash, double share) => (CounterRandom.Mix(hash) >> 11) * (1.0 / (1L << 53)) < share;
}
