using System.Buffers.Binary;
using System.IO.Hashing;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Shards;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

public sealed class ShardTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(2, 2)]
    [InlineData(4, 2)]
    [InlineData(2, 1)]
    [InlineData(4, 1)]
    public void GivesBackWhatWasWritten(int tokenBytes, int version)
    {
        var examples = ShardTesting.RandomExamples(500, 32, tokenBytes == 2 ? 60_000 : 200_000);
        string path = Write(examples, 32, tokenBytes);
        if (version == 1)
        {
            File.WriteAllBytes(path, ShardTesting.AsVersion1(File.ReadAllBytes(path)));
        }

        using var reader = new ShardReader(path);
        int[] ids = new int[32];

        Assert.Equal(examples.Count, reader.Header.Count);
        for (int i = 0; i < examples.Count; i++)
        {
            reader.Read(i, ids, out int length, out int second);
            Assert.Equal(examples[i].Ids, ids[..length]);
            Assert.Equal(examples[i].SecondSegmentStart, second);
            Assert.All(ids[length..], id => Assert.Equal(7, id));
        }
    }

    [Fact]
    public void FindsAFlippedBitWhereverItIs()
    {
        string path = Write(ShardTesting.RandomExamples(20_000, 64, 50_000), 64, 2);
        int records = 20_000 * (4 + (64 * 2));
        byte[] whole = File.ReadAllBytes(path);
        var random = new CounterRandom(1, 2);
        long body = whole.Length - ShardHeader.Size;
        int[] places =
        [
            0,
            9,
            40,
            100,
            127,
            128,
            whole.Length - 1,
            whole.Length - 9,
            whole.Length - 16,
            whole.Length - 17,
            .. Enumerable.Range(0, 40).Select(_ => ShardHeader.Size + random.Next((int)body)),
        ];
        Assert.True(whole.Length > 2 * ShardHeader.BlockSize);

        foreach (int place in places)
        {
            byte[] damaged = [.. whole];
            damaged[place] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, damaged);

            int offset = place - ShardHeader.Size;
            if (offset < 0 || offset >= records)
            {
                Assert.Contains(
                    path,
                    Assert.Throws<PermanentException>(() => new ShardReader(path).Dispose()).Message,
                    StringComparison.Ordinal
                );
                continue;
            }

            using var reader = new ShardReader(path);
            var error = Assert.Throws<PermanentException>(() => reader.Read(offset / reader.Header.Stride, new int[64], out _, out _));
            int block = offset / ShardHeader.BlockSize;
            Assert.Contains(
                $"{path}: block {block} (bytes {ShardHeader.Size + (block * ShardHeader.BlockSize)} to ",
                error.Message,
                StringComparison.Ordinal
            );
            reader.Read(block == 0 ? 19_999 : 0, new int[64], out _, out _); // Whole blocks stay readable.
        }
    }

    /// <summary>Sizes and lengths that lie, under hashes that are right: nothing is read outside the file.</summary>
    [Fact]
    public void RefusesImpossibleValuesWithRightHashes()
    {
        string path = Path.Combine(folder.Path, "lie.shard");
        var header = new ShardHeader(2, 16, 7, new byte[32], new byte[32]);
        byte[] end = header.EndOf([], 0);
        byte[][] lies =
        [
            [.. header.ToBytes(), .. header.EndOf([], 1)],
            [.. header.ToBytes(), .. header.EndOf([], -1)],
            [.. header.ToBytes(), .. header.EndOf([], int.MaxValue)],
            [.. header.ToBytes(), .. header.EndOf([1], 0)],
            [.. header.ToBytes(), .. new byte[header.Stride], .. header.EndOf([1], 2)],
            [.. (header with { SequenceLength = 0 }).ToBytes(), .. end],
            [.. (header with { SequenceLength = int.MaxValue }).ToBytes(), .. end],
            [.. (header with { TokenBytes = 3 }).ToBytes(), .. end],
        ];
        foreach (byte[] lie in lies)
        {
            File.WriteAllBytes(path, lie);
            Assert.Contains(
                path,
                Assert.Throws<PermanentException>(() => new ShardReader(path).Dispose()).Message,
                StringComparison.Ordinal
            );
        }

        File.WriteAllBytes(path, [.. header.ToBytes(), .. end]);
        new ShardReader(path).Dispose();

        (int Length, int Second)[] records = [(17, 1), (1, 1), (9, 10), (9, 0)];
        foreach (var (length, second) in records)
        {
            byte[] record = new byte[4 + (2 * 16)];
            BinaryPrimitives.WriteUInt16LittleEndian(record, (ushort)length);
            BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(2), (ushort)second);
            File.WriteAllBytes(path, [.. header.ToBytes(), .. record, .. header.EndOf([XxHash3.HashToUInt64(record)], 1)]);
            using var reader = new ShardReader(path);
            Assert.Contains(
                $"length {length}, second segment at {second}",
                Assert.Throws<PermanentException>(() => reader.Read(0, new int[16], out _, out _)).Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void DamagedShardsFailPermanentlyAndInNoOtherWay()
    {
        byte[] whole = File.ReadAllBytes(Write(ShardTesting.RandomExamples(50, 16, 1_000), 16, 2));
        string path = Path.Combine(folder.Path, "damaged.shard");
        var random = new CounterRandom(12, 1);
        int refused = 0;
        for (int i = 0; i < 400; i++)
        {
            File.WriteAllBytes(path, Corpus.ReaderFuzzTests.Damage(whole, ref random));
            try
            {
                using var reader = new ShardReader(path);
                for (int example = 0; example < reader.Header.Count; example++)
                {
                    reader.Read(example, new int[16], out _, out _);
                }
            }
            catch (PermanentException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 200, 399);
    }

    [Fact]
    public void RefusesAnythingThatIsNoShard()
    {
        var random = new CounterRandom(3, 4);
        string path = Path.Combine(folder.Path, "noise.shard");
        byte[] whole = File.ReadAllBytes(Write(ShardTesting.RandomExamples(100, 16, 1_000), 16, 2));
        for (int i = 0; i < 300; i++)
        {
            // Half are noise, half a real shard cut short.
            byte[] bytes = i % 2 == 0 ? new byte[random.Next(600)] : whole[..random.Next(whole.Length)];
            if (i % 2 == 0)
            {
                for (int j = 0; j < bytes.Length; j++)
                {
                    bytes[j] = (byte)random.Next(256);
                }
            }

            File.WriteAllBytes(path, bytes);

            Assert.Throws<PermanentException>(() => new ShardReader(path).Dispose());
        }
    }

    [Fact]
    public void SeveralShardsReadAsOneListAlsoWithEmptyOnesBetween()
    {
        var examples = ShardTesting.RandomExamples(30, 16, 1_000);
        string[] folders =
        [
            .. new[] { 0, 10, 10, 25, 30 }
                .Zip([10, 10, 25, 30, 30])
                .Select(
                    (range, i) =>
                    {
                        string shardFolder = Directory.CreateDirectory(Path.Combine(folder.Path, $"set{i}")).FullName;
                        Write(examples[range.First..range.Second], 16, 2, Path.Combine(shardFolder, "train.shard"));
                        return shardFolder;
                    }
                ),
        ];
        using var set = ExampleSet.Open(folders, Split.Train);

        Assert.Equal(30, set.Count);
        var batch = set.Batch(0, 30);
        Assert.Equal(examples.Select(example => example.Ids.Length), batch.Lengths);
        Assert.Equal(
            examples.SelectMany(example => example.Ids),
            Enumerable.Range(0, 30).SelectMany(i => batch.InputIds[(i * 16)..((i * 16) + batch.Lengths[i])])
        );
    }

    private string Write(IReadOnlyList<Example> examples, int sequenceLength, int tokenBytes, string? path = null) =>
        ShardTesting.Write(examples, sequenceLength, tokenBytes, path ?? Path.Combine(folder.Path, "train.shard"));
}
