using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Training.Shards;

/// <summary>What a shard's header says, for people.</summary>
/// <param name="Path">The file.</param>
/// <param name="Split">By its name; null: neither "train.shard" nor "heldout.shard".</param>
/// <param name="Examples">Records.</param>
/// <param name="SequenceLength">Tokens a record holds, padding included.</param>
/// <param name="TokenBytes">2 or 4.</param>
/// <param name="PadId">Id of the padding.</param>
/// <param name="Blocks">Blocks with a hash each.</param>
/// <param name="Bytes">Of the file.</param>
/// <param name="VocabularyDigest">SHA-256 of the vocab.txt it was made with, hex.</param>
/// <param name="OptionsDigest">SHA-256 of the options that made the examples, hex.</param>
public sealed record ShardFacts(
    string Path,
    Split? Split,
    int Examples,
    int SequenceLength,
    int TokenBytes,
    int PadId,
    int Blocks,
    long Bytes,
    string VocabularyDigest,
    string OptionsDigest
);

/// <summary>An example of a shard, for people.</summary>
/// <param name="Path">The shard.</param>
/// <param name="Split">By its name, as in <see cref="ShardFacts"/>.</param>
/// <param name="Record">Its place in the shard, counted from 0.</param>
/// <param name="Offset">Byte of the shard where its record begins.</param>
/// <param name="SecondSegmentStart">Index of the second segment's first token; the number of ids where there is none.</param>
/// <param name="Ids">Ids without padding.</param>
/// <param name="FirstSegment">Tokens of [CLS] A [SEP]; null: the vocabulary is not at hand.</param>
/// <param name="SecondSegment">Tokens of B [SEP], empty where there is none; null: the vocabulary is not at hand.</param>
public sealed record ShardExample(
    string Path,
    Split? Split,
    int Record,
    long Offset,
    int SecondSegmentStart,
    IReadOnlyList<int> Ids,
    IReadOnlyList<string>? FirstSegment,
    IReadOnlyList<string>? SecondSegment
);

/// <summary>Looks into shards.</summary>
public static class ShardInspection
{
    /// <summary>The headers of the shards that a path names: a file, or all in a folder and below it.</summary>
    /// <exception cref="PermanentException">No shard there, or a header is damaged.</exception>
    public static IReadOnlyList<ShardFacts> FactsOf(string path) =>
        [
            .. ShardFolders
                .FilesOf(path)
                .Select(file =>
                {
                    using var reader = new ShardReader(file);
                    ShardHeader header = reader.Header;
                    return new ShardFacts(
                        file,
                        ShardFolders.SplitOf(file),
                        header.Count,
                        header.SequenceLength,
                        header.TokenBytes,
                        header.PadId,
                        header.Blocks,
                        header.FileBytes,
                        Convert.ToHexStringLower(header.Vocabulary),
                        Convert.ToHexStringLower(header.Options)
                    );
                }),
        ];

    /// <summary>The manifests beside the shards that a path names, by folder; a folder without one is left out.</summary>
    /// <exception cref="PermanentException">A manifest is damaged.</exception>
    public static IReadOnlyDictionary<string, ShardsManifest> ManifestsOf(string path) =>
        ShardFolders
            .FilesOf(path)
            .Select(FolderOf)
            .Distinct()
            .Where(folder => File.Exists(Path.Combine(folder, ShardsManifest.FileName)))
            .ToDictionary(folder => folder, ShardsManifest.Read);

    /// <summary>One example, counted from 0 over the shards in the order of <see cref="FactsOf"/>.</summary>
    /// <param name="path">A shard, or a folder of them.</param>
    /// <param name="index">Which example.</param>
    /// <param name="vocabularyPath">The vocab.txt of the ids; null: the one beside the shard, if there is one.</param>
    /// <exception cref="PermanentException">No such example, its block is damaged, or the vocabulary is not the shard's.</exception>
    public static ShardExample ExampleOf(string path, int index, string? vocabularyPath)
    {
        int before = 0;
        foreach (string file in ShardFolders.FilesOf(path))
        {
            using var reader = new ShardReader(file);
            if (index >= 0 && index - before < reader.Header.Count)
            {
                return Read(reader, file, index - before, VocabularyOf(file, reader.Header, vocabularyPath));
            }

            before += reader.Header.Count;
        }

        throw new PermanentException($"{path}: there is no example {index}; there are {before}, counted from 0");
    }

    private static ShardExample Read(ShardReader reader, string file, int record, Vocabulary? vocabulary)
    {
        int[] padded = new int[reader.Header.SequenceLength];
        reader.Read(record, padded, out int length, out int second);
        int[] ids = padded[..length];
        string[]? tokens = vocabulary is null
            ? null
            :
            [
                .. ids.Select(id =>
                    id < vocabulary.Count
                        ? vocabulary.TokenOf(id)
                        : throw new PermanentException(
                            $"{file}: record {record} holds id {id}; the vocabulary has {vocabulary.Count} tokens; tokenize again"
                        )
                ),
            ];
        return new ShardExample(
            file,
            ShardFolders.SplitOf(file),
            record,
            reader.Header.OffsetOf(record),
            second,
            ids,
            tokens?[..second],
            tokens?[second..]
        );
    }

    /// <summary>The vocabulary of a shard's ids: the file given, or the one beside the shard, or null.</summary>
    internal static Vocabulary? VocabularyOf(string shard, ShardHeader header, string? given)
    {
        string path = given ?? Path.Combine(FolderOf(shard), VocabularyStore.VocabularyName);
        if (given is null && !File.Exists(path))
        {
            return null;
        }

        Vocabulary vocabulary = Vocabulary.Load(path);
        string expected = Convert.ToHexStringLower(header.Vocabulary);
        return vocabulary.Digest == expected
            ? vocabulary
            : throw new PermanentException(
                $"{path} is not the vocabulary of {shard}: its SHA-256 is {vocabulary.Digest}, the shard's {expected}"
            );
    }

    private static string FolderOf(string file) => Path.GetDirectoryName(Path.GetFullPath(file))!;
}
