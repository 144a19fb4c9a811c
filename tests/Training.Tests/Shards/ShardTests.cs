using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Shards;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

public sealed class ShardTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void GivesBackWhatWasWritten(int tokenBytes)
    {
        var examples = RandomExamples(500, 32, tokenBytes == 2 ? 60_000 : 200_000);
        string path = Write(examples, 32, tokenBytes);
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
        string path = Write(RandomExamples(20_000, 64, 50_000), 64, 2);
        int records = 20_000 * (4 + (64 * 2));
        byte[] whole = File.ReadAllBytes(path);
        var random = new CounterRandom(1, 2);
        long body = whole.Length - ShardHeader.Size;
        int[] places = [0, 9, 40, 100, 127, 128, whole.Length - 1, whole.Length - 9, .. Enumerable.Range(0, 40).Select(_ => ShardHeader.Size + random.Next((int)body))];
        Assert.True(whole.Length > 2 * ShardHeader.BlockSize);

        foreach (int place in places)
        {
            byte[] damaged = [.. whole];
            damaged[place] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, damaged);

            int offset = place - ShardHeader.Size;
            if (offset < 0 || offset >= records)
            {
                Assert.Contains(path, Assert.Throws<PermanentException>(() => new ShardReader(path).Dispose()).Message, StringComparison.Ordinal);
                continue;
            }

            using var reader = new ShardReader(path);
            var error = Assert.Throws<PermanentException>(() => reader.Read(offset / reader.Header.Stride, new int[64], out _, out _));
            int block = offset / ShardHeader.BlockSize;
            Assert.Contains($"{path}: block {block} (bytes {ShardHeader.Size + (block * ShardHeader.BlockSize)} to ", error.Message, StringComparison.Ordinal);
            reader.Read(block == 0 ? 19_999 : 0, new int[64], out _, out _); // Whole blocks stay readable.
        }
    }

    /// <summary>Sizes and lengths that lie, under hashes that are right: nothing is read outside the file.</summary>
    [Fact]
    public void RefusesImpossibleValuesWithRightHashes()
    {
        string path = Path.Combine(folder.Path, "lie.shard");
        var header = new ShardHeader(2, 16, 0, 7, new byte[32], new byte[32]);
        ShardHeader[] lies =
        [
            header with { Count = int.MaxValue }, header with { Count = -1 }, header with { Count = 1 }, header with { SequenceLength = 0 },
            header with { SequenceLength = int.MaxValue }, header with { TokenBytes = 3 },
        ];
        foreach (var lie in lies)
        {
            File.WriteAllBytes(path, [.. lie.ToBytes(), .. new byte[8]]);
            Assert.Contains(path, Assert.Throws<PermanentException>(() => new ShardReader(path).Dispose()).Message, StringComparison.Ordinal);
        }

        (int Length, int Second)[] records = [(17, 1), (1, 1), (9, 10), (9, 0)];
        foreach (var (length, second) in records)
        {
            Write([new Example(new int[length], second)], 16, 2, path);
            using var reader = new ShardReader(path);
            Assert.Contains($"length {length}, second segment at {second}", Assert.Throws<PermanentException>(() => reader.Read(0, new int[16], out _, out _)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void DamagedShardsFailPermanentlyAndInNoOtherWay()
    {
        byte[] whole = File.ReadAllBytes(Write(RandomExamples(50, 16, 1_000), 16, 2));
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
        byte[] whole = File.ReadAllBytes(Write(RandomExamples(100, 16, 1_000), 16, 2));
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
        var examples = RandomExamples(30, 16, 1_000);
        string[] folders = [.. new[] { 0, 10, 10, 25, 30 }.Zip([10, 10, 25, 30, 30]).Select((range, i) =>
        {
            string shardFolder = Directory.CreateDirectory(Path.Combine(folder.Path, $"set{i}")).FullName;
            Write(examples[range.First..range.Second], 16, 2, Path.Combine(shardFolder, "train.shard"));
            return shardFolder;
        })];
        using var set = ExampleSet.Open(folders, Split.Train);

        Assert.Equal(30, set.Count);
        var batch = set.Batch(0, 30);
        Assert.Equal(examples.Select(example => example.Ids.Length), batch.Lengths);
        Assert.Equal(examples.SelectMany(example => example.Ids), Enumerable.Range(0, 30).SelectMany(i => batch.InputIds[(i * 16)..((i * 16) + batch.Lengths[i])]));
    }

    [Fact]
    public void AnEpochHasEveryExampleOnceAndAnotherEpochAnotherOrder()
    {
        string shardFolder = Directory.CreateDirectory(Path.Combine(folder.Path, "set")).FullName;
        var examples = Enumerable.Range(0, 96).Select(i => new Example([i, 3], 2)).ToList();
        Write(examples, 8, 2, Path.Combine(shardFolder, "train.shard"));
        using var set = ExampleSet.Open([shardFolder], Split.Train);
        var sampler = new BatchSampler(set, seed: 5, batchSize: 8);
        int[] FirstTokens(long step) => [.. Enumerable.Range(0, 8).Select(i => sampler.Batch(step).InputIds[i * 8])];
        int[] first = [.. Enumerable.Range(0, 12).SelectMany(step => FirstTokens(step))];
        int[] second = [.. Enumerable.Range(12, 12).SelectMany(step => FirstTokens(step))];

        Assert.Equal(Enumerable.Range(0, 96), first.Order());
        Assert.Equal(Enumerable.Range(0, 96), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(FirstTokens(20).AsEnumerable(), Enumerable.Range(0, 8).Select(i => new BatchSampler(set, 5, 8).Batch(20).InputIds[i * 8]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1_000)]
    [InlineData(65_537)]
    public void ThePermutationReachesEveryIndexOnce(int count)
    {
        var permutation = new Permutation(count, 11, 3);
        bool[] seen = new bool[count];
        for (int i = 0; i < count; i++)
        {
            Assert.False(seen[permutation[i]]);
            seen[permutation[i]] = true;
        }
    }

    [Theory]
    [InlineData("carry")]
    [InlineData("discard")]
    public void CarryKeepsEveryTokenAndNoExampleIsTooLong(string overflow)
    {
        var options = new ExampleOptions { SequenceLength = 24, Overflow = overflow, ShortTargetProbability = 0.3 };
        var builder = new ExampleBuilder(options, 2, 3);
        var random = new CounterRandom(9, 9);
        for (int document = 0; document < 200; document++)
        {
            int next = 100;
            var sentences = Enumerable.Range(0, random.Next(12)).Select(_ => Enumerable.Range(0, random.Next(40)).Select(_ => next++).ToArray()).ToList();
            var examples = builder.Build(sentences, 1, (ulong)document).ToList();
            int[] tokens = [.. examples.SelectMany(example => example.Ids).Where(id => id >= 100).Order()];

            Assert.All(examples, example => Assert.True(example.Ids.Length <= 24 && example.Ids[0] == 2 && example.Ids[^1] == 3));
            Assert.All(examples, example => Assert.Equal(example.SecondSegmentStart == example.Ids.Length ? 1 : 2, example.Ids.Count(id => id == 3)));
            Assert.Equal(tokens.Distinct(), tokens);
            if (overflow == "carry")
            {
                Assert.Equal(Enumerable.Range(100, next - 100), tokens);
            }
        }
    }

    [Fact]
    public void ALongSentenceIsCutAsTheOfficialCodeCuts()
    {
        int[] sentence = [.. Enumerable.Range(100, 5_000)];
        var builder = new ExampleBuilder(new ExampleOptions { Overflow = "discard" }, 2, 3);
        var example = Assert.Single(builder.Build([sentence], 1, 1));
        Assert.Equal([2, .. sentence[..126], 3], example.Ids);
        Assert.Equal(128, example.SecondSegmentStart);
    }

    /// <summary>100 tokens fill the first segment past its target of 62; the second gets 128 - 100 - 3 of the rest.</summary>
    [Fact]
    public void ASecondSegmentGetsTheRoomThatIsLeft()
    {
        int[] text = [.. Enumerable.Range(100, 230)];
        int[][] document = [text[..100], text[100..200], text[200..]];
        var options = new ExampleOptions { Overflow = "discard", SingleSegmentProbability = 0, ShortTargetProbability = 0 };
        var discarded = new ExampleBuilder(options, 2, 3).Build(document, 1, 1).ToList();
        Assert.Equal([2, .. text[..100], 3, .. text[100..125], 3], discarded[0].Ids);
        Assert.Equal(102, discarded[0].SecondSegmentStart);
        Assert.Equal([2, .. text[200..], 3], discarded[1].Ids);

        // Carried tokens are a sentence of their own: it is past the target, so the next sentence is the second segment.
        var carried = new ExampleBuilder(options with { Overflow = "carry" }, 2, 3).Build(document, 1, 1).ToList();
        Assert.Equal([2, .. text[125..200], 3, .. text[200..], 3], carried[1].Ids);
        Assert.Equal(2, carried.Count);
    }

    [Fact]
    public void ProbabilitiesAreMet()
    {
        var document = Enumerable.Range(0, 10_000).Select(i => Enumerable.Range(i * 13, 13).ToArray());
        var examples = new ExampleBuilder(new ExampleOptions(), 2, 3).Build(document, 1, 3).ToList();
        Assert.InRange(examples.Count(example => example.SecondSegmentStart == example.Ids.Length) / (double)examples.Count, 0.08, 0.14);
        Assert.InRange(examples.Count(example => example.Ids.Length < 110) / (double)examples.Count, 0.02, 0.07);
    }

    private string Write(IReadOnlyList<Example> examples, int sequenceLength, int tokenBytes, string? path = null)
    {
        path ??= Path.Combine(folder.Path, "train.shard");
        using var writer = new ShardWriter(path, new ShardHeader(tokenBytes, sequenceLength, 0, 7, new byte[32], new byte[32]));
        foreach (var example in examples)
        {
            writer.Add(example);
        }

        Assert.Equal(examples.Count, writer.Commit());
        return path;
    }

    private static List<Example> RandomExamples(int count, int sequenceLength, int vocabulary)
    {
        var random = new CounterRandom(1, (ulong)count);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            int length = 2 + random.Next(sequenceLength - 1);
            return new Example([.. Enumerable.Range(0, length).Select(_ => random.Next(vocabulary))], random.Next(2) == 0 ? length : 1 + random.Next(length));
        })];
    }
}
