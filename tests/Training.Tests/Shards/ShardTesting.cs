using System.Buffers.Binary;
using System.IO.Hashing;
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

    /// <summary>The bytes of a shard as the first version wrote them: the number of records in the header, not at the end.</summary>
    public static byte[] AsVersion1(byte[] shard)
    {
        ShardHeader header = ShardHeader.Parse(shard, "").For(shard.Length)!;
        byte[] head = new byte[ShardHeader.Size];
        shard.AsSpan(0, 8).CopyTo(head);
        int[] fields = [1, header.TokenBytes, header.SequenceLength, header.Count, header.PadId];
        for (int i = 0; i < fields.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8 + (4 * i)), fields[i]);
        }

        header.Vocabulary.CopyTo(head, 28);
        header.Options.CopyTo(head, 60);
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(120), XxHash3.HashToUInt64(head.AsSpan(0, 120)));
        ReadOnlySpan<byte> table = shard.AsSpan((int)header.TableOffset, 8 * header.Blocks);
        return
        [
            .. head,
            .. shard.AsSpan(ShardHeader.Size, (int)header.BodyBytes),
            .. table,
            .. BitConverter.GetBytes(XxHash3.HashToUInt64(table)),
        ];
    }
}
