using System.CommandLine;
using System.Diagnostics;
using System.Text;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;

namespace ElectraPipeline.Bench;

/// <summary>Ingestion of one large generated JSONL file: speed, and the most memory that was resident.</summary>
internal static class IngestCommand
{
    private const ulong Seed = 20_260_101;
    private const int Words = 50_000;

    public static Command Create()
    {
        var gigabytes = new Option<double>("--gigabytes") { DefaultValueFactory = _ => 1, Description = "size of the file (10^9 bytes)" };
        var folder = new Option<string>("--folder")
        {
            DefaultValueFactory = _ => Path.GetTempPath(),
            Description = "where the file and the corpus are made, and deleted",
        };
        var command = new Command("ingest", "MB/s and peak resident memory of ingesting a generated JSONL file") { gigabytes, folder };
        command.SetAction(parsed => Measure((long)(parsed.GetRequiredValue(gigabytes) * 1e9), parsed.GetRequiredValue(folder)));
        return command;
    }

    private static void Measure(long bytes, string parent)
    {
        string folder = Directory.CreateDirectory(Path.Combine(parent, $"electra-ingest-{Environment.ProcessId}")).FullName;
        try
        {
            string file = Path.Combine(folder, "generated.jsonl");
            Generate(file, bytes);
            long start = Stopwatch.GetTimestamp();
            IngestResult result = IngestProgram.Run(
                new CorpusOptions { Paths = [file] },
                Path.Combine(folder, "corpus"),
                SilentReporter.Instance,
                CancellationToken.None
            );
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Console.WriteLine("| file MB | documents | s | MB/s | peak resident MB |\n|--:|--:|--:|--:|--:|");
            Console.WriteLine(
                $"| {bytes / 1e6:F0} | {result.Documents:N0} | {seconds:F0} | {bytes / 1e6 / seconds:F0} | {PeakResidentBytes() / 1e6:F0} |"
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Lines of 20 to 300 words, the frequent ones often, as in text; no two alike.</summary>
    private static void Generate(string path, long bytes)
    {
        var random = new CounterRandom(Seed, 0);
        byte[][] words = [.. Enumerable.Range(0, Words).Select(i => Encoding.ASCII.GetBytes(Word(i)))];
        using FileStream file = File.Create(path, 1 << 20);
        for (long line = 0; file.Position < bytes; line++)
        {
            file.Write(Encoding.ASCII.GetBytes($"{{\"id\":{line},\"text\":\""));
            for (int left = 20 + random.Next(281); left > 0; left--)
            {
                // Multiplied uniform numbers crowd at the low end, as ranks of words do.
                file.Write(words[(int)((long)random.Next(Words) * random.Next(Words) / Words)]);
                file.Write(
                    left == 1 ? ".\"}\n"u8
                    : left % 15 == 0 ? ".\\n"u8
                    : " "u8
                );
            }
        }
    }

    private static string Word(int rank)
    {
        var word = new StringBuilder();
        for (int rest = rank + 27; rest > 0; rest /= 26)
        {
            word.Append((char)('a' + rest % 26));
        }

        return word.ToString();
    }

    /// <summary>VmHWM of Linux; the runtime knows only what is resident now.</summary>
    private static long PeakResidentBytes() =>
        File.ReadLines("/proc/self/status")
            .Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[1]) * 1024)
            .Single();
}
