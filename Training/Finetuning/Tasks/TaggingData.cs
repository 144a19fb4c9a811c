using System.Security.Cryptography;
using System.Text;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>The tagged sentences of one fine-tuning: read, split, cut to size. A function of (options, files, seed).</summary>
/// <param name="Train">What is trained on.</param>
/// <param name="Evaluation">What is measured on; shares no sentence with <paramref name="Train"/> where it was split off it.</param>
/// <param name="Tags">All tags in ordinal order; a tag's number is its place.</param>
/// <param name="Digest">SHA-256 of both lists, lower-case hexadecimal.</param>
internal sealed record TaggingData(
    IReadOnlyList<TaggedSentence> Train,
    IReadOnlyList<TaggedSentence> Evaluation,
    IReadOnlyList<string> Tags,
    string Digest
)
{
    /// <summary>Reads the files that options name, which are found in <paramref name="files"/>.</summary>
    /// <exception cref="PermanentException">Files or lines are missing or malformed.</exception>
    public static TaggingData Load(FinetuneOptions options, TaskFiles files, ulong seed)
    {
        ConllColumns columns = ConllColumns.Of(options);
        (IReadOnlyList<TaggedSentence> train, IReadOnlyList<TaggedSentence> evaluation) = ExampleSelection.Load(
            options,
            seed,
            file => ConllFile.Read(files.PathOf(file), columns, files.DigestOf(file)),
            TextOf,
            TextOf
        );
        string[] tags = [.. train.Concat(evaluation).SelectMany(sentence => sentence.Tags).Distinct().Order(StringComparer.Ordinal)];
        return new TaggingData(train, evaluation, tags, DigestOf(train, evaluation));
    }

    private static string TextOf(TaggedSentence sentence) => string.Join(' ', sentence.Words);

    private static string DigestOf(params IReadOnlyList<TaggedSentence>[] lists)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (IReadOnlyList<TaggedSentence> list in lists)
        {
            hash.AppendData(BitConverter.GetBytes(list.Count));
            foreach (TaggedSentence sentence in list)
            {
                // No word or tag holds white space, so nothing can imitate a border.
                hash.AppendData(Encoding.UTF8.GetBytes($"{string.Join(' ', sentence.Words)}\t{string.Join(' ', sentence.Tags)}\n"));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
