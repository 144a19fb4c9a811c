using System.Text;
using ElectraPipeline.Training.Corpus;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

public sealed class CompressionTests
{
    private static readonly byte[] Lines = Encoding.UTF8.GetBytes(
        string.Concat(Enumerable.Range(0, 8_000).Select(i => $"{{\"id\":{i},\"text\":\"Number {i} of many.\"}}\n"))
    );

    public static TheoryData<string> Compressions => ["gz", "zst", "bz2"];

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Members_one_behind_the_other_are_all_read(string compression)
    {
        byte[] file = Compress(compression, Lines[..1], Lines[1..20_000], [], Lines[20_000..]);
        var (documents, rejects) = Read("x", file);
        Assert.Empty(rejects);
        Assert.Equal(Enumerable.Range(0, 8_000).Select(i => $"{i}"), documents.Select(document => document.Id));
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void Bytes_behind_the_last_member_are_not_lost_without_a_word(string compression)
    {
        byte[] whole = Compress(compression, Lines);
        foreach (int garbage in (int[])[1, 9, 20_000])
        {
            byte[] file = [.. whole, .. Encoding.ASCII.GetBytes(new string('x', garbage))];
            var (documents, rejects) = Read("x", file);
            Assert.Equal(8_000, documents.Count);
            Assert.Equal(compression == "gz" ? "trailing-bytes" : "damaged-file", Assert.Single(rejects).Reason);
        }
    }

    [Fact]
    public void Zeros_behind_gzip_are_padding()
    {
        var (documents, rejects) = Read("x", [.. Gzip(Lines), .. new byte[10_240]]);
        Assert.Equal((8_000, 0), (documents.Count, rejects.Count));
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void A_flipped_bit_is_noticed(string compression)
    {
        byte[] file = Compress(compression, Lines);
        for (int i = 0; i < 8; i++)
        {
            byte[] damaged = [.. file];
            damaged[file.Length / 2 + i * 97] ^= (byte)(1 << i);
            var (documents, rejects) = Read("x", damaged);
            Assert.InRange(documents.Count, 0, 8_000);
            Assert.NotEmpty(rejects);
        }
    }

    [Theory]
    [MemberData(nameof(Compressions))]
    public void A_bomb_is_refused_with_a_message(string compression)
    {
        byte[] member = Compress(compression, Encoding.ASCII.GetBytes(new string('a', 1 << 20)));
        byte[] bomb = [.. Enumerable.Repeat(member, 72).SelectMany(bytes => bytes)];
        Reject reject = Read("x", bomb, Options() with { Format = "text" }).Rejects.Single(reject => reject.Reason == "expansion-limit");
        Assert.Contains(" bytes grew to ", reject.Detail);
        Assert.Contains("corpus.maxExpansion", reject.Detail);
        Assert.InRange(reject.Offset, 64 << 20, 80 << 20);
    }

    [Fact]
    public void Text_that_shrinks_well_is_no_bomb()
    {
        byte[] text = Encoding.UTF8.GetBytes(
            string.Concat(
                Enumerable
                    .Range(0, 700_000)
                    .Select(i => $"Row {i % 1000} is here, and it is as long as {i % 7} others.{new string(' ', 50)}\n\n")
            )
        );
        Assert.True(text.Length > 64 << 20);
        Assert.Empty(Read("x", Gzip(text), Options() with { Format = "text" }).Rejects);
    }

    private static byte[] Compress(string compression, params byte[][] members) =>
        compression switch
        {
            "gz" => Gzip(members),
            "zst" => Zstd(members),
            _ => BZip2(members),
        };
}
