using System.IO.Compression;
using System.Text;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Readers;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Reading a file of 40 MB keeps no more alive at its end than at its beginning.</summary>
[CollectionDefinition(nameof(ConstantMemoryTests), DisableParallelization = true)]
[Collection(nameof(ConstantMemoryTests))]
public sealed class ConstantMemoryTests
{
    private const int Records = 40_000;
    private const long Allowed = 4 << 20;

    private static readonly string Text = string.Join(' ', Enumerable.Range(0, 150).Select(i => $"word{i}"));

    [Theory]
    [InlineData("text", "", "")]
    [InlineData("jsonl", "", "")]
    [InlineData("warc", "", "")]
    [InlineData("mediawiki", "<mediawiki>", "</mediawiki>")]
    [InlineData("dotnet-xml-docs", "<doc><members>", "</members></doc>")]
    public void Memory_does_not_grow_with_the_file(string format, string head, string foot)
    {
        using var folder = new TemporaryFolder();
        string path = folder["large.gz"];
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.ASCII.GetBytes(head));
            for (int i = 0; i < Records; i++)
            {
                gzip.Write(Encoding.ASCII.GetBytes(Record(format, i)));
            }

            gzip.Write(Encoding.ASCII.GetBytes(foot));
        }

        Assert.InRange(GrowthOf(path, format), long.MinValue, Allowed);
    }

    [Fact]
    public void The_set_of_hashes_takes_at_most_thirty_bytes_each()
    {
        const int Count = 500_000;
        var random = new CounterRandom(1, 2);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var set = new FixedHashSet<UInt128>();
        for (int i = 0; i < Count; i++)
        {
            Assert.True(set.Add(new UInt128(random.NextUInt64(), random.NextUInt64())));
        }

        Assert.InRange((GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Count, 16, 30);
        random = new CounterRandom(1, 2);
        for (int i = 0; i < Count; i++)
        {
            Assert.False(set.Add(new UInt128(random.NextUInt64(), random.NextUInt64())));
        }

        Assert.True(set.Add(0));
        Assert.False(set.Add(0));
        Assert.Equal(Count + 1, set.Count);
    }

    [Fact]
    public void Hashes_that_were_made_to_collide_are_kept_apart()
    {
        var set = new FixedHashSet<ulong>();
        for (int round = 0; round < 2; round++)
        {
            for (ulong i = 0; i < 1_000; i++)
            {
                Assert.Equal(round == 0, set.Add(0xABCD_EF01_2300_0000 + i));
                Assert.Equal(round == 0, set.Add(i << 40));
            }
        }

        Assert.Equal(2_000, set.Count);
        Assert.True(set.Contains(0xABCD_EF01_2300_0000 + 999));
        Assert.False(set.Contains(0xABCD_EF01_2300_0000 + 1_000));
    }

    /// <summary>Bytes alive near the end less those near the beginning.</summary>
    private static long GrowthOf(string path, string format)
    {
        long atStart = 0;
        long atEnd = 0;
        int read = 0;
        foreach (ReadRecord record in DocumentSource.Read(Assert.Single(SourceFiles.Resolve(Options(path))), Options()))
        {
            Assert.True(record.Document is not null, $"{format}: {record.Reject}");
            read++;
            if (read == Records / 20)
            {
                atStart = GC.GetTotalMemory(forceFullCollection: true);
            }
            else if (read == Records - 1)
            {
                atEnd = GC.GetTotalMemory(forceFullCollection: true);
            }
        }

        Assert.Equal(Records, read);
        return atEnd - atStart;
    }

    private static string Record(string format, int number)
    {
        string text = $"{number} {Text}.";
        return format switch
        {
            "text" => text + "\n\n",
            "jsonl" => $"{{\"id\":{number},\"text\":\"{text}\"}}\n",
            "warc" =>
                $"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: {text.Length}\r\n\r\n{text}\r\n\r\n",
            "mediawiki" => $"<page><title>P{number}</title><ns>0</ns><revision><text>{text}</text></revision></page>\n",
            _ => $"<member name=\"T:N.T{number}\"><summary>{text}</summary></member>\n",
        };
    }
}
