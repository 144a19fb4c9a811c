namespace ElectraPipeline.Training.Shards;

/// <summary>The training examples of a run: those of its own shards and of the datasets mixed in. Safe for several threads.</summary>
public sealed class ExampleMixture : IDisposable
{
    private readonly List<(ExampleSet Set, double Weight)> sources = [];

    private ExampleMixture() { }

    /// <summary>Examples in all sources that are drawn from.</summary>
    public long Count => sources.Where(source => source.Weight > 0).Sum(source => (long)source.Set.Count);

    /// <summary>L, tokens an example, padding included.</summary>
    public int SequenceLength => sources[0].Set.SequenceLength;

    /// <summary>The sources with their weights, the run's own first.</summary>
    internal IReadOnlyList<(ExampleSet Set, double Weight)> Sources => sources;

    /// <summary>Opens the run's own shards and those mixed in.</summary>
    /// <param name="shardFolders">The run's own.</param>
    /// <param name="options">What is mixed in.</param>
    /// <param name="digests">What <see cref="DigestOf"/> must be of each dataset; null: anything.</param>
    /// <exception cref="PermanentException">
    /// A shard is missing or damaged, was made with another vocabulary or sequence length, or a weight is out of range.
    /// </exception>
    /// <exception cref="IOException">A dataset's digest is another.</exception>
    public static ExampleMixture Open(IReadOnlyList<string> shardFolders, MixtureOptions options, IReadOnlyList<string>? digests = null)
    {
        var mixture = new ExampleMixture();
        try
        {
            mixture.sources.Add((ExampleSet.Open(shardFolders, Split.Train), options.Weight));
            foreach ((int i, MixedDataset dataset) in options.Datasets.Index())
            {
                ExampleSet set = ExampleSet.Open(FoldersOf(dataset.Path), Split.Train);
                mixture.sources.Add((set, dataset.Weight));
                mixture.Check(set, dataset);
                if (digests is not null && set.Digest() is var now && now != digests[i])
                {
                    throw CheckedFile.Changed(dataset.Path, digests[i], now);
                }
            }
        }
        catch
        {
            mixture.Dispose();
            throw;
        }

        return mixture.sources.Any(source => source.Weight > 0)
            ? mixture
            : throw new PermanentException(
                "mixture: every weight is 0, so there is nothing to train on; give one dataset a weight above 0"
            );
    }

    /// <summary>
    /// What stands for a dataset's training examples in fingerprints: SHA-256 over the headers and hash tables of its shards, which
    /// every block is compared with before it is used. Lower-case hex.
    /// </summary>
    /// <exception cref="PermanentException">There is no shard, one is damaged, or one lies in none of the folders.</exception>
    public static string DigestOf(MixedDataset dataset, InputFolders? allowed = null)
    {
        using ExampleSet set = ExampleSet.Open(FoldersOf(dataset.Path), Split.Train, allowed);
        return set.Digest();
    }

    /// <summary>Closes the shards.</summary>
    public void Dispose()
    {
        foreach ((ExampleSet set, _) in sources)
        {
            set.Dispose();
        }
    }

    private void Check(ExampleSet set, MixedDataset dataset)
    {
        ShardHeader own = sources[0].Set.Header;
        if (!(dataset.Weight > 0) || !double.IsFinite(dataset.Weight))
        {
            throw new PermanentException($"mixture: {dataset.Path} has the weight {dataset.Weight}; it must be above 0, or be left out");
        }

        if (set.Header.SequenceLength != own.SequenceLength)
        {
            throw new PermanentException(
                $"mixture: the examples of {dataset.Path} have {set.Header.SequenceLength} tokens, the run's own "
                    + $"{own.SequenceLength}; tokenize one of them again"
            );
        }

        if (!set.Header.Vocabulary.AsSpan().SequenceEqual(own.Vocabulary))
        {
            throw new PermanentException(
                $"mixture: {dataset.Path} was made with another vocabulary than the run's own shards; tokenize it with that "
                    + "vocabulary (vocabulary.path)"
            );
        }
    }

    private static string[] FoldersOf(string path) =>
        [
            .. ShardFolders
                .FilesOf(path)
                .Where(file => ShardFolders.SplitOf(file) == Split.Train)
                .Select(file => Path.GetDirectoryName(Path.GetFullPath(file))!),
        ];
}
