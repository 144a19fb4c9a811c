using ElectraPipeline.TestSupport;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>
/// Damaged files of every kind end in documents, skips and rejects: never in another exception, never in a loop, never in memory out of
/// proportion. A case is a function of the seed and its number; docs/corpus.md tells how to run more.
/// </summary>
public sealed class ReaderFuzzTests
{
    private const int Cases = 150;
    private const long MaxAllocated = 1L << 30;
    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("text")]
    [InlineData("jsonl")]
    [InlineData("dotnet-xml-docs")]
    [InlineData("mediawiki")]
    [InlineData("warc")]
    [InlineData("arc")]
    public void Damaged_files_do_not_harm_their_reader(string format) => Attack(format, FuzzSeeds.Of(format));

    [Fact]
    public async Task Damaged_tables_do_not_harm_their_reader() =>
        Attack("parquet", await FuzzSeeds.TablesAsync(TestContext.Current.CancellationToken));

    [Fact]
    public async Task Any_damaged_file_may_be_met_by_any_reader()
    {
        string[] formats = ["text", "jsonl", "dotnet-xml-docs", "mediawiki", "warc", "arc"];
        Attack("auto", [.. formats.SelectMany(FuzzSeeds.Of), .. await FuzzSeeds.TablesAsync(TestContext.Current.CancellationToken)]);
        byte[][] all = [.. formats.SelectMany(FuzzSeeds.Of)];
        Assert.All((string[])[.. formats, "parquet"], format => Attack(format, all, share: 4));
    }

    private static void Attack(string format, byte[][] seeds, int share = 1)
    {
        using var folder = new TemporaryFolder();
        int cases = FuzzBudget.Cases(Cases) / share;
        int rejects = 0;
        for (int i = 0; i < cases; i++)
        {
            var random = new CounterRandom(FuzzBudget.Seed, (ulong)i, (ulong)format.Length);
            byte[] bytes = Damage(seeds[random.Next(seeds.Length)], ref random);
            string path = folder.Write($"case{i}", bytes);
            long before = GC.GetTotalAllocatedBytes();
            Task<int> reading = Task.Run(() => Read(path, Options() with { Format = format }).Rejects.Count);
            Assert.True(((IAsyncResult)reading).AsyncWaitHandle.WaitOne(MaxTime), Described("takes more than a minute"));
            Assert.True(reading.Exception is null, Described($"throws {reading.Exception?.InnerException}"));
            Assert.True(GC.GetTotalAllocatedBytes() - before < MaxAllocated, Described("allocates more than 1 GiB"));
            rejects += reading.Result;
            File.Delete(path);

            string Described(string what) =>
                $"{format}, seed {FuzzBudget.Seed}, case {i} {what}; its bytes: {Convert.ToBase64String(bytes)}";
        }

        Assert.True(format == "text" || cases < 100 || rejects > cases / 10, $"{rejects} rejects");
    }

    /// <summary>The bytes with up to three cuts, insertions or flips.</summary>
    internal static byte[] Damage(byte[] seed, ref CounterRandom random)
    {
        byte[] bytes = [.. seed];
        int edits = random.Next(4);
        for (int i = 0; i < edits && bytes.Length > 0; i++)
        {
            int at = random.Next(bytes.Length);
            bytes = random.Next(6) switch
            {
                0 => bytes[..at],
                1 => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]],
                2 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                3 => Set(bytes, at, (byte)(random.Next(2) * 255)),
                _ => Set(bytes, at, (byte)(bytes[at] ^ (1 << random.Next(8)))),
            };
        }

        return bytes;
    }

    private static byte[] Set(byte[] bytes, int at, byte value)
    {
        bytes[at] = value;
        return bytes;
    }
}
