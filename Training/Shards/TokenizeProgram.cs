using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>What became of one part of the documents.</summary>
/// <param name="Documents">Documents read.</param>
/// <param name="TokensIn">Tokens of their text.</param>
/// <param name="TokensOut">
/// Tokens in examples, without [CLS], [SEP] and padding; fewer than <paramref name="TokensIn"/> with "discard".
/// </param>
/// <param name="UnknownTokens">[UNK] among <paramref name="TokensIn"/>.</param>
/// <param name="TrainExamples">Examples to train on.</param>
/// <param name="HeldOutExamples">Examples of held-out documents.</param>
public sealed record TokenizeResult(
    long Documents,
    long TokensIn,
    long TokensOut,
    long UnknownTokens,
    int TrainExamples,
    int HeldOutExamples
)
{
    /// <summary>[UNK] among the tokens, in [0, 1].</summary>
    public double UnknownShare => UnknownTokens / (double)Math.Max(1, TokensIn);

    /// <summary>The hundred most frequent of the tokens of the text, the most frequent first.</summary>
    public IReadOnlyList<TokenCount> FrequentTokens { get; init; } = [];
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
        CancellationToken cancellationToken
    )
    {
        CorpusPart source = DocumentParts.PartOf(corpusFolder, part);
        var (tokenizer, tokenizerOptions) = SharedTokenizers.Of(vocabularyFolder);
        Vocabulary vocabulary = tokenizer.Vocabulary;
        var packer = new DocumentPacker(vocabulary, options.Validated(), seed);
        using var output = new ShardFolderWriter(outputFolder, vocabulary, tokenizerOptions, options);
        long total = source.Told.Documents;
        ExampleBuffer train = new(output.Train),
            heldOut = new(output.HeldOut);
        ExampleReceiver toTrain = train.Add,
            toHeldOut = heldOut.Add;
        using var texts = new DocumentTextReader(source);
        while (texts.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            packer.Pack(texts.Text, tokenizer, toTrain, toHeldOut);
            train.FlushIfFull();
            heldOut.FlushIfFull();
            if (packer.Documents % ReportEvery == 0)
            {
                reporter.Progress(packer.Documents, total, "documents");
            }
        }

        train.Flush();
        heldOut.Flush();
        reporter.Progress(packer.Documents, total, "documents");
        return output.Commit(packer.Counts, part, seed, options);
    }
}
