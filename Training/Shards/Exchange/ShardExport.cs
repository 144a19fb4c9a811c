using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards.Exchange;

/// <summary>Writes the examples of shards in formats of other programs, with the vocabulary and a description beside them.</summary>
public static class ShardExport
{
    /// <summary>The formats there are.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["megatron", "parquet"];

    /// <summary>
    /// Exports all shards that a path names, train and held-out apart: "megatron" as NAME.bin and NAME.idx, an example a document and a
    /// segment a sequence without special tokens, which is what Megatron-LM's BERT data sets expect; "parquet" as NAME.parquet with the
    /// columns input_ids and second_segment_start.
    /// </summary>
    /// <returns>Examples written.</returns>
    /// <exception cref="PermanentException">There is no shard, one is damaged, or they do not belong together.</exception>
    public static long Run(string path, string format, string outputFolder, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> files = ShardFolders.FilesOf(path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(files[0]))!;
        (Vocabulary vocabulary, TokenizerOptions tokenizer) = VocabularyStore.Read(folder);
        ShardsManifest[] manifests =
        [
            .. files.Select(file => Path.GetDirectoryName(Path.GetFullPath(file))!).Distinct().Select(ShardsManifest.Read),
        ];
        VocabularyStore.Write(outputFolder, vocabulary, tokenizer);
        long examples = 0;
        ShardHeader? header = null;
        foreach (Split split in (Split[])[Split.Train, Split.HeldOut])
        {
            string[] ofSplit = [.. files.Where(file => ShardFolders.SplitOf(file) == split)];
            if (ofSplit.Length == 0)
            {
                continue;
            }

            using ExampleSet set = ExampleSet.OpenFiles(ofSplit);
            Check(set.Header, vocabulary, ofSplit[0]);
            string prefix = Path.Combine(outputFolder, Path.GetFileNameWithoutExtension(ExampleSet.FileNameOf(split)));
            if (format == "parquet")
            {
                ParquetExamples.Write(set, prefix + ".parquet", cancellationToken);
            }
            else
            {
                WriteMegatron(set, prefix, vocabulary.Count, cancellationToken);
            }

            header = set.Header;
            examples += set.Count;
        }

        ShardHeader common =
            header ?? throw new PermanentException($"{path}: no train.shard or heldout.shard; only shards of these names are exported");
        new ExchangeDescription(
            ExchangeDescription.CurrentVersion,
            format,
            common.TokenBytes,
            common.SequenceLength,
            common.PadId,
            Convert.ToHexStringLower(common.Options),
            manifests[0].Seed,
            manifests[0].Options,
            Sum(manifests.Select(manifest => manifest.Counts))
        ).Write(outputFolder);
        return examples;
    }

    private static void Check(ShardHeader header, Vocabulary vocabulary, string file)
    {
        string expected = Convert.ToHexStringLower(header.Vocabulary);
        if (vocabulary.Digest != expected)
        {
            throw new PermanentException(
                $"the vocabulary beside {file} has the SHA-256 {vocabulary.Digest}; the shard was made with {expected}; tokenize again"
            );
        }
    }

    private static void WriteMegatron(ExampleSet set, string prefix, int tokens, CancellationToken cancellationToken)
    {
        using var writer = new MegatronWriter(prefix, tokens);
        int[] ids = new int[set.SequenceLength];
        for (int i = 0; i < set.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            set.Read(i, ids, out int length, out int second);
            writer.AddSequence(ids.AsSpan(1..Math.Max(1, second - 1)));
            if (second < length)
            {
                writer.AddSequence(ids.AsSpan(second..(length - 1)));
            }

            writer.EndDocument();
        }

        writer.Commit();
    }

    private static TokenizeResult Sum(IEnumerable<TokenizeResult> counts) =>
        counts.Aggregate(
            (a, b) =>
                new TokenizeResult(
                    a.Documents + b.Documents,
                    a.TokensIn + b.TokensIn,
                    a.TokensOut + b.TokensOut,
                    a.UnknownTokens + b.UnknownTokens,
                    a.TrainExamples + b.TrainExamples,
                    a.HeldOutExamples + b.HeldOutExamples
                )
                {
                    FrequentTokens = TokenTally.MostFrequent(a.FrequentTokens.Concat(b.FrequentTokens)),
                }
        );
}
