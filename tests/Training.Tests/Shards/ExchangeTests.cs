using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Shards.Exchange;
using ElectraPipeline.Training.Tests.Corpus;
using ElectraPipeline.Training.Tokenization;
using Parquet;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>Examples that leave for formats of other programs and come back.</summary>
public sealed class ExchangeTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>300 tokens are stored in 16 bits in both; 65,520 in 16 here and 32 there; 70,000 in 32 in both.</summary>
    [Theory]
    [InlineData(300)]
    [InlineData(65_520)]
    [InlineData(70_000)]
    public void ShardsComeBackByteForByte(int words)
    {
        string shards = Build("shards", words, 0.2);
        long examples = ShardExport.Run(shards, "megatron", folder["out"], Cancellation);
        Assert.True(ShardImport.IsExport(folder["out"]));
        TokenizeResult result = ShardImport.Restore(folder["out"], folder["back"], Cancellation);
        Assert.Equal(examples, result.TrainExamples + result.HeldOutExamples);
        Assert.True(result.HeldOutExamples > 0);
        foreach (string file in Directory.GetFiles(shards))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(folder["back"], Path.GetFileName(file))));
        }

        Assert.Empty(ShardVerifier.Verify(folder["back"], Cancellation).Faults);
    }

    /// <summary>Two documents, of two sequences and of one, byte by byte as Megatron-LM lays them down.</summary>
    [Fact]
    public void TheFilesAreThoseOfMegatron()
    {
        using (var writer = new MegatronWriter(folder["small"], vocabularySize: 1_000))
        {
            writer.AddSequence([1, 2, 259]);
            writer.AddSequence([4]);
            writer.EndDocument();
            writer.AddSequence([5, 6]);
            writer.EndDocument();
            writer.Commit();
        }

        Assert.Equal("010002000301" + "0400" + "05000600", Convert.ToHexString(File.ReadAllBytes(folder["small.bin"])));
        Assert.Equal(
            "4D4D49444944580000"
                + "0100000000000000"
                + "08"
                + "0300000000000000"
                + "0300000000000000"
                + "03000000"
                + "01000000"
                + "02000000"
                + "0000000000000000"
                + "0600000000000000"
                + "0800000000000000"
                + "0000000000000000"
                + "0200000000000000"
                + "0300000000000000",
            Convert.ToHexString(File.ReadAllBytes(folder["small.idx"]))
        );
        using var reader = new MegatronReader(folder["small.idx"]);
        Assert.Equal(2, reader.Documents);
        Assert.Equal(
            [
                [1, 2, 259],
                [4],
            ],
            reader.Sequences(0, 1_000)
        );
        Assert.Equal(
            [
                [5, 6],
            ],
            reader.Sequences(1, 1_000)
        );
        string message = Assert.Throws<PermanentException>(() => reader.Sequences(0, 259)).Message;
        Assert.Contains("byte 4 (sequence 0): id 259", message);
    }

    /// <summary>Sets of other programs: every kind of whole numbers, documents of many sentences, modes at the end.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 4)]
    [InlineData(5, 8)]
    [InlineData(8, 2)]
    public void ForeignSetsArePackedWithoutLosingAToken(byte kind, int bytes)
    {
        var random = new CounterRandom(6, kind);
        var vocabulary = VocabularyOf(110);
        int[][][] documents =
        [
            .. Enumerable
                .Range(0, 60)
                .Select(_ =>
                    Enumerable
                        .Range(0, random.Next(6))
                        .Select(_ => Enumerable.Range(0, random.Next(40)).Select(_ => 5 + random.Next(110)).ToArray())
                        .ToArray()
                ),
        ];
        WriteForeign(documents, kind, bytes);
        TokenizeResult result = ShardImport.Pack(
            folder["foreign"],
            vocabulary,
            new TokenizerOptions(),
            new ExampleOptions { SequenceLength = 32, HeldOutShare = 0.3 },
            1,
            folder["packed"],
            Cancellation
        );
        int[] expected = [.. documents.SelectMany(document => document.SelectMany(sentence => sentence)).Order()];
        var found = new List<int>();
        foreach (Split split in (Split[])[Split.Train, Split.HeldOut])
        {
            using ExampleSet set = ExampleSet.Open([folder["packed"]], split);
            ExampleBatch batch = set.Batch(0, set.Count);
            found.AddRange(batch.InputIds.Where(id => id >= 5));
            Assert.True(set.Count > 0);
        }

        Assert.Equal(expected, found.Order());
        Assert.Equal((60, expected.Length, expected.Length), (result.Documents, result.TokensIn, result.TokensOut));
    }

    [Fact]
    public void DamagedIndexesFailPermanentlyAndInNoOtherWay()
    {
        WriteForeign(
            [
                [
                    [5, 6, 7],
                    [8],
                ],
                [
                    [9],
                ],
                [],
            ],
            8,
            2
        );
        byte[] index = File.ReadAllBytes(folder["foreign.idx"]);
        var random = new CounterRandom(8, 8);
        var document = new EncodedDocument();
        int refused = 0;
        for (int i = 0; i < 2_000; i++)
        {
            File.WriteAllBytes(folder["foreign.idx"], ReaderFuzzTests.Damage(index, ref random));
            try
            {
                using var reader = new MegatronReader(folder["foreign"]);
                for (int number = 0; number < reader.Documents; number++)
                {
                    reader.Read(number, 100, document);
                }
            }
            catch (PermanentException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1_000, 1_999);
        Assert.Contains("absent.idx", Assert.Throws<PermanentException>(() => new MegatronReader(folder["absent"])).Message);
    }

    [Fact]
    public async Task ParquetHoldsTheSameExamples()
    {
        string shards = Build("shards", 300, 0.2);
        ShardExport.Run(shards, "parquet", folder["out"], Cancellation);
        using ExampleSet set = ExampleSet.Open([shards], Split.Train);
        await using ParquetReader reader = await ParquetReader.CreateAsync(
            Path.Combine(folder["out"], "train.parquet"),
            cancellationToken: Cancellation
        );
        Assert.Equal(["input_ids", "second_segment_start"], reader.Schema.Fields.Select(field => field.Name));
        Assert.Equal(1, reader.RowGroupCount);
        using ParquetRowGroupReader group = reader.OpenRowGroupReader(0);
        Assert.Equal(set.Count, group.RowCount);
        int[] starts = new int[set.Count];
        await group.ReadAsync<int>(reader.Schema.DataFields[1], starts.AsMemory(), cancellationToken: Cancellation);
        int[] ids = new int[group.GetMetadata(reader.Schema.DataFields[0])!.MetaData!.NumValues];
        int[] definition = new int[ids.Length],
            repetition = new int[ids.Length];
        await group.ReadRawAsync<int>(reader.Schema.DataFields[0], ids, definition.AsMemory(), repetition.AsMemory(), Cancellation);
        int[] firsts = [.. repetition.Select((level, at) => (level, at)).Where(id => id.level == 0).Select(id => id.at), ids.Length];

        ExampleBatch batch = set.Batch(0, set.Count);
        Assert.Equal(batch.SecondSegmentStarts, starts);
        for (int i = 0; i < set.Count; i++)
        {
            Assert.Equal(batch.InputIds.AsSpan(i * batch.SequenceLength, batch.Lengths[i]).ToArray(), ids[firsts[i]..firsts[i + 1]]);
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Vocabulary VocabularyOf(int words) =>
        new([.. SpecialTokens.All, .. Enumerable.Range(0, words).Select(word => $"w{word}")]);

    private string Build(string name, int words, double heldOutShare)
    {
        var random = new CounterRandom(2, 2);
        string text = string.Join(
            "\n\n",
            Enumerable
                .Range(0, 200)
                .Select(_ =>
                    string.Join(
                        '\n',
                        Enumerable
                            .Range(0, 1 + random.Next(6))
                            .Select(_ => string.Join(' ', Enumerable.Range(0, 1 + random.Next(60)).Select(_ => $"w{random.Next(words)}")))
                    )
                )
        );
        ShardBuildProgram.Run(
            new ShardBuildRequest
            {
                Inputs = [folder.Write("text.txt", text)],
                Vocabulary = VocabularyOf(words),
                Examples = new ExampleOptions { SequenceLength = 48, HeldOutShare = heldOutShare },
                OutputFolder = folder[name],
            },
            Cancellation
        );
        return folder[name];
    }

    private void WriteForeign(int[][][] documents, byte kind, int bytes)
    {
        int[][] sequences = [.. documents.SelectMany(document => document)];
        using (var data = new BinaryWriter(File.Create(folder["foreign.bin"])))
        {
            foreach (int id in sequences.SelectMany(sequence => sequence))
            {
                data.Write(BitConverter.GetBytes((long)id)[..bytes]);
            }
        }

        using var index = new BinaryWriter(File.Create(folder["foreign.idx"]));
        index.Write("MMIDIDX\0\0"u8);
        index.Write(1L);
        index.Write(kind);
        index.Write((long)sequences.Length);
        index.Write(documents.Length + 1L);
        Array.ForEach(sequences, sequence => index.Write(sequence.Length));
        for (long i = 0, offset = 0; i < sequences.Length; offset += sequences[i++].Length * bytes)
        {
            index.Write(offset);
        }

        long first = 0;
        index.Write(first);
        Array.ForEach(documents, document => index.Write(first += document.Length));
        Array.ForEach(sequences, _ => index.Write((sbyte)0));
    }
}
