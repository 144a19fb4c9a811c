using ElectraPipeline.Training.Shards;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>Shards of made-up examples.</summary>
internal static class ShardTesting
{
    public const int PadId = 7;

    /// <summary>Examples of random lengths, half of them with a second segment.</summary>
    public static List<Example> RandomExamples(int count, int sequenceLength, int vocabulary)
    {
        var random = new CounterRandom(1, (ulong)count);
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(_ =>
                {
                    int length = 2 + random.Next(sequenceLength - 1);
                    return new Example(
                        [.. Enumerable.Range(0, length).Select(_ => random.Next(vocabulary))],
                        random.Next(2) == 0 ? length : 1 + random.Next(length)
                    );
                }),
        ];
    }

    /// <summary>Examples whose first token is their number, in a folder's train.shard; returns the folder.</summary>
    public static string WriteNumbered(string folder, int count, int sequenceLength = 8, int first = 0, byte vocabulary = 0)
    {
        Directory.CreateDirectory(folder);
        Write(
            [.. Enumerable.Range(first, count).Select(i => new Example([i, 3], 2))],
            sequenceLength,
            4,
            Path.Combine(folder, ExampleSet.FileNameOf(Split.Train)),
            [vocabulary, .. new byte[31]]
        );
        return folder;
    }

    public static string Write(IReadOnlyList<Example> examples, int sequenceLength, int tokenBytes, string path, byte[]? vocabulary = null)
    {
        using var writer = new ShardWriter(
            path,
            new ShardHeader(tokenBytes, sequenceLength, PadId, vocabulary ?? new byte[32], new byte[32])
        );
        foreach (var example in examples)
        {
            writer.Add(example.Ids, example.SecondSegmentStart);
        }

        Assert.Equal(writer.Commit().Bytes, new FileInfo(path).Length);
        Assert.Equal(examples.Count, writer.Count);
        return path;
    }
}
