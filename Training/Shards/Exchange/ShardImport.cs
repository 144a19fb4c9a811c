using System.IO.Hashing;
using System.Runtime.InteropServices;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards.Exchange;

/// <summary>Makes shards of indexed data sets of Megatron-LM.</summary>
public static class ShardImport
{
    /// <summary>Whether a path is a folder that <see cref="ShardExport"/> wrote, which explains itself.</summary>
    public static bool IsExport(string path) => File.Exists(Path.Combine(path, ExchangeDescription.FileName));

    /// <summary>Gives back the shards that were exported, byte for byte where they were one folder.</summary>
    /// <exception cref="PermanentException">The export is damaged or not of a format that can be imported.</exception>
    public static TokenizeResult Restore(string exportFolder, string outputFolder, CancellationToken cancellationToken)
    {
        ExchangeDescription description = ExchangeDescription.Read(exportFolder);
        if (description.Format != "megatron")
        {
            throw new PermanentException($"{exportFolder} was exported as {description.Format}; only \"megatron\" can be imported");
        }

        (Vocabulary vocabulary, TokenizerOptions tokenizer) = VocabularyStore.Read(exportFolder);
        var header = new ShardHeader(
            description.TokenBytes,
            description.SequenceLength,
            description.PadId,
            Convert.FromHexString(vocabulary.Digest),
            Convert.FromHexString(description.OptionsDigest)
        );
        using var output = new ShardFolderWriter(outputFolder, vocabulary, tokenizer, header);
        foreach (Split split in (Split[])[Split.Train, Split.HeldOut])
        {
            string prefix = Path.Combine(exportFolder, Path.GetFileNameWithoutExtension(ExampleSet.FileNameOf(split)));
            if (File.Exists(prefix + ".idx"))
            {
                using var reader = new MegatronReader(prefix);
                Restore(
                    reader,
                    prefix,
                    vocabulary,
                    header.SequenceLength,
                    split == Split.Train ? output.Train : output.HeldOut,
                    cancellationToken
                );
            }
        }

        return output.Commit(description.Counts, part: 0, description.Seed, description.Examples);
    }

    /// <summary>
    /// Packs the documents of any indexed data set into examples: its sequences are the sentences. The hash of a document's ids stands
    /// for that of its text.
    /// </summary>
    /// <exception cref="PermanentException">
    /// The files are damaged, hold ids outside the vocabulary, or an option is out of range.
    /// </exception>
    public static TokenizeResult Pack(
        string path,
        Vocabulary vocabulary,
        TokenizerOptions tokenizer,
        ExampleOptions options,
        ulong seed,
        string outputFolder,
        CancellationToken cancellationToken
    )
    {
        using var reader = new MegatronReader(path);
        using var output = new ShardFolderWriter(outputFolder, vocabulary, tokenizer, options.Validated());
        var packer = new DocumentPacker(vocabulary, options, seed);
        var document = new EncodedDocument();
        ExampleReceiver train = output.Train.Add,
            heldOut = output.HeldOut.Add;
        for (int number = 0; number < reader.Documents; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            reader.Read(number, vocabulary.Count, document);
            packer.Pack(document, XxHash3.HashToUInt64(MemoryMarshal.AsBytes(document.Ids)), train, heldOut);
        }

        return output.Commit(packer.Counts, part: 0, seed, options);
    }

    private static void Restore(
        MegatronReader reader,
        string prefix,
        Vocabulary vocabulary,
        int sequenceLength,
        ShardWriter writer,
        CancellationToken cancellationToken
    )
    {
        for (int number = 0; number < reader.Documents; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int[][] segments = reader.Sequences(number, vocabulary.Count);
            int[] ids = [vocabulary.ClassifierId, .. segments.SelectMany(segment => (int[])[.. segment, vocabulary.SeparatorId])];
            if (segments.Length is 0 or > 2 || ids.Length > sequenceLength)
            {
                throw new PermanentException(
                    $"{prefix}.idx: document {number} has {segments.Length} sequences and makes {ids.Length} tokens; an exported "
                        + $"example has 1 or 2 and at most {sequenceLength}; export again"
                );
            }

            writer.Add(ids, segments.Length == 1 ? ids.Length : segments[0].Length + 2);
        }
    }
}
