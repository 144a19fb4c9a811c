using System.Text;
using ElectraPipeline.TestSupport;
using Xunit;
using static ElectraPipeline.Training.Tests.Corpus.CorpusTesting;

namespace ElectraPipeline.Training.Tests.Corpus;

/// <summary>Damaged files of every kind end in documents and rejects, never in another exception and never in a loop.</summary>
public sealed class ReaderFuzzTests
{
    private const int Cases = 150;

    [Theory]
    [InlineData("text")]
    [InlineData("jsonl")]
    [InlineData("dotnet-xml-docs")]
    [InlineData("auto")]
    public void Damaged_files_do_not_crash_readers(string format)
    {
        using var folder = new TemporaryFolder();
        byte[][] seeds = Seeds();
        var random = new CounterRandom(20_260_101, (ulong)format.Length);
        int rejects = 0;
        for (int i = 0; i < Cases; i++)
        {
            byte[] bytes = Damage(seeds[random.Next(seeds.Length)], ref random);
            var read = Read(folder.Write($"case{i}", bytes), Options() with { Format = format });
            rejects += read.Rejects.Count;
        }

        Assert.True(format == "text" || rejects > Cases / 10, $"{rejects} rejects");
    }

    internal static byte[] Damage(byte[] seed, ref CounterRandom random)
    {
        byte[] bytes = [.. seed];
        int edits = random.Next(4);
        for (int i = 0; i < edits && bytes.Length > 0; i++)
        {
            int at = random.Next(bytes.Length);
            bytes = random.Next(4) switch
            {
                0 => bytes[..at],
                1 => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]],
                2 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                _ => Flip(bytes, at, random.Next(8)),
            };
        }

        return bytes;
    }

    private static byte[] Flip(byte[] bytes, int at, int bit)
    {
        bytes[at] ^= (byte)(1 << bit);
        return bytes;
    }

    private static byte[][] Seeds()
    {
        byte[] json = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20).Select(i => $"{{\"id\":{i},\"text\":\"Größe \\u00e9 {i}.\\nTwo.\"}}\n")));
        byte[] xml = Encoding.UTF8.GetBytes("<doc><assembly><name>A</name></assembly><members>" + string.Concat(Enumerable.Range(0, 20).Select(
            i => $"<member name=\"M:A.B{i}.C(System.Int32)\"><summary>Gets <see cref=\"T:A.D`1\"/> &lt; {i}. Then more.</summary></member>\n")) + "</members></doc>");
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20).Select(i => $"Zeile {i} größer 漢 😀.\r\n{(i % 3 == 0 ? "\r\n" : "")}")));
        byte[] utf16 = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Encoding.UTF8.GetString(text))];
        byte[][] plain = [json, xml, text, utf16];
        return [.. plain, .. plain.Select(bytes => Gzip(bytes[..50], bytes[50..])), .. plain.Select(bytes => Zstd(bytes[..50], bytes[50..]))];
    }
}
