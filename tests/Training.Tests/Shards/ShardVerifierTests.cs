using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;
using Xunit;

namespace ElectraPipeline.Training.Tests.Shards;

/// <summary>Damage of every kind, in every region of a shard folder, found and named.</summary>
public sealed class ShardVerifierTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly string shards;
    private readonly string train;

    public ShardVerifierTests()
    {
        Vocabulary vocabulary = new([.. SpecialTokens.All, .. Enumerable.Range(0, 50).Select(word => $"w{word}")]);
        var random = new CounterRandom(1, 1);
        string[] documents =
        [
            .. Enumerable.Range(0, 6_000).Select(_ => string.Join(' ', Enumerable.Range(0, 90).Select(_ => $"w{random.Next(50)}"))),
        ];
        string text = folder.Write("text.txt", string.Join("\n\n", documents));
        shards = folder["shards"];
        ShardBuildProgram.Run(
            new ShardBuildRequest
            {
                Inputs = [text],
                Vocabulary = vocabulary,
                Examples = new ExampleOptions { HeldOutShare = 0.2 },
                OutputFolder = shards,
            },
            TestContext.Current.CancellationToken
        );
        train = Path.Combine(shards, "train.shard");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void WhatIsWholeHasNoFault()
    {
        ShardVerification result = Verify();
        Assert.Empty(result.Faults);
        Assert.Equal(2, result.Files);
        Assert.Equal(6_000, result.Examples);
        Assert.Equal(new FileInfo(train).Length + new FileInfo(Path.Combine(shards, "heldout.shard")).Length, result.Bytes);
    }

    /// <summary>
    /// 75 single bits over header, blocks, the table of hashes, the number of records and the last hash: each is found, and the place
    /// named holds it.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AFlippedBitIsFoundAndItsPlaceNamed(int version)
    {
        byte[] whole = File.ReadAllBytes(train);
        whole = version == 1 ? ShardTesting.AsVersion1(whole) : whole;
        ShardHeader header = ShardHeader.Parse(whole, train).For(whole.Length)!;
        Assert.True(header.Blocks > 1);
        int tableStart = ShardHeader.Size + (int)header.BodyBytes;
        var random = new CounterRandom(7, 7);
        foreach (
            (string region, int start, int end) in new[]
            {
                ("header", 0, ShardHeader.Size),
                ("block", ShardHeader.Size, tableStart),
                ("table", tableStart, whole.Length - header.EndSize),
                ("table", whole.Length - 16, whole.Length - 8),
                ("table", whole.Length - 8, whole.Length),
            }
        )
        {
            for (int i = 0; i < 15; i++)
            {
                int place = start + random.Next(end - start);
                byte[] damaged = [.. whole];
                damaged[place] ^= (byte)(1 << random.Next(8));
                File.WriteAllBytes(train, damaged);

                ShardFault fault = Assert.Single(Verify().Faults);
                Assert.Equal((train, region), (fault.Path, fault.Region));
                Assert.InRange(place, fault.Offset, fault.Offset + fault.Length - 1);
                Assert.Equal(region == "block" ? (place - ShardHeader.Size) / ShardHeader.BlockSize : null, fault.Block);
            }
        }
    }

    [Fact]
    public void AllDamagedBlocksAreNamedNotOnlyTheFirst()
    {
        byte[] bytes = File.ReadAllBytes(train);
        bytes[ShardHeader.Size + 5] ^= 1;
        bytes[ShardHeader.Size + ShardHeader.BlockSize + 5] ^= 1;
        File.WriteAllBytes(train, bytes);
        Assert.Equal([0, 1], Verify().Faults.Select(fault => fault.Block!.Value));
    }

    [Fact]
    public void FilesThatWereCutLostExchangedOrAddedAreNamed()
    {
        string heldOut = Path.Combine(shards, "heldout.shard");
        byte[] trainBytes = File.ReadAllBytes(train);
        byte[] heldOutBytes = File.ReadAllBytes(heldOut);

        File.WriteAllBytes(train, trainBytes[..^1]);
        Assert.Contains("was cut or added to", Assert.Single(Verify().Faults).ToString());

        File.WriteAllBytes(train, [.. trainBytes, 0]);
        Assert.Contains("was cut or added to", Assert.Single(Verify().Faults).ToString());

        // A length that another number of records would have.
        int stride = ShardHeader.Parse(trainBytes, train).Stride;
        File.WriteAllBytes(train, trainBytes[..^stride]);
        Assert.Contains("was cut or added to", Assert.Single(Verify().Faults).ToString());

        File.WriteAllBytes(train, [.. trainBytes, .. new byte[stride]]);
        Assert.Contains("was cut or added to", Assert.Single(Verify().Faults).ToString());

        File.Delete(train);
        Assert.Contains("lists train.shard, which is missing", Assert.Single(Verify().Faults).ToString());

        File.WriteAllBytes(train, heldOutBytes);
        Assert.Contains(
            Verify().Faults,
            fault => fault.Region == "manifest" && fault.Problem.Contains("train.shard: ", StringComparison.Ordinal)
        );

        File.WriteAllBytes(train, trainBytes);
        File.WriteAllBytes(Path.Combine(shards, "extra.shard"), heldOutBytes);
        Assert.Contains("does not list extra.shard", Assert.Single(Verify().Faults).ToString());

        File.Delete(Path.Combine(shards, "extra.shard"));
        File.WriteAllText(Path.Combine(shards, "manifest.json"), "{}");
        Assert.Contains("damaged", Assert.Single(Verify().Faults).ToString());

        File.Delete(Path.Combine(shards, "manifest.json"));
        Assert.Contains("is missing", Assert.Single(Verify().Faults).ToString());
        Assert.Empty(ShardVerifier.Verify(train, TestContext.Current.CancellationToken).Faults);
    }

    [Fact]
    public void AShardWithoutItsVocabularyOrWithIdsOutsideItIsNamed()
    {
        string vocabulary = Path.Combine(shards, "vocab.txt");
        File.AppendAllText(vocabulary, "more\n");
        Assert.All(Verify().Faults, fault => Assert.Contains("the one beside it is", fault.Problem));
        Assert.Equal(2, Verify().Faults.Count);

        string single = Directory.CreateDirectory(folder["single"]).FullName;
        var tokens = new Vocabulary([.. SpecialTokens.All]);
        VocabularyStore.Write(single, tokens, new TokenizerOptions());
        string path = Path.Combine(single, "train.shard");
        ShardTesting.Write([new Example([2, 4, 3], 3), new Example([2, 5, 3], 3)], 8, 2, path, Convert.FromHexString(tokens.Digest));
        ShardFault fault = ShardVerifier.Verify(path, TestContext.Current.CancellationToken).Faults[^1];
        Assert.Contains("record 1: an id outside the vocabulary of 5 tokens", fault.Problem);
        Assert.Equal(ShardHeader.Size + 20, fault.Offset);
    }

    [Fact]
    public void AFolderWithoutShardsIsRefused() =>
        Assert.Contains(
            "no shard",
            Assert
                .Throws<PermanentException>(() =>
                    ShardVerifier.Verify(Directory.CreateDirectory(folder["empty"]).FullName, TestContext.Current.CancellationToken)
                )
                .Message
        );

    [Fact]
    public void AnExampleIsShownAsTokens()
    {
        IReadOnlyList<ShardFacts> facts = ShardInspection.FactsOf(folder.Path);
        Assert.Equal([Split.Train, Split.HeldOut], facts.Select(shard => shard.Split));
        ShardExample last = ShardInspection.ExampleOf(shards, 5_999, vocabularyPath: null);
        Assert.Equal((Split.HeldOut, facts[1].Examples - 1), (last.Split, last.Record));
        Assert.Equal("[CLS]", last.FirstSegment![0]);
        Assert.Equal("[SEP]", last.FirstSegment[^1]);
        Assert.Equal(last.Ids.Count, last.FirstSegment.Count + last.SecondSegment!.Count);
        Assert.All(last.FirstSegment.Skip(1).SkipLast(1), token => Assert.StartsWith("w", token));
        Assert.Contains(
            "there are 6000",
            Assert.Throws<PermanentException>(() => ShardInspection.ExampleOf(shards, 6_000, vocabularyPath: null)).Message
        );
        string other = folder.Write("other.txt", string.Join('\n', SpecialTokens.All));
        Assert.Contains("not the vocabulary", Assert.Throws<PermanentException>(() => ShardInspection.ExampleOf(shards, 0, other)).Message);
    }

    private ShardVerification Verify() => ShardVerifier.Verify(shards, TestContext.Current.CancellationToken);
}
