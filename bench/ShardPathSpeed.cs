using System.Diagnostics;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench;

/// <summary>The whole path from a text file to sealed shards on two threads, beside the tokenizer alone on the same text.</summary>
internal static class ShardPathSpeed
{
    private const int Parts = 2;

    /// <summary>Measures and prints; the best of some rounds, taken in turn.</summary>
    public static void Print(byte[] text, string vocabularyPath, int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("electra-bench-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "text.txt"), text);
            Vocabulary vocabulary = Vocabulary.Load(vocabularyPath);
            VocabularyStore.Write(Path.Combine(folder, "vocabulary"), vocabulary, new TokenizerOptions());
            var tokenizer = new WordPieceTokenizer(vocabulary, new TokenizerOptions());
            List<Range> lines = EnglishText.Lines(text);
            (string Name, Action Run)[] contestants =
            [
                ("tokenizer alone, 1 thread", () => TokenizerCommand.Encode(tokenizer, text, lines, 0, lines.Count)),
                ("tokenizer alone, 2 threads", () => TokenizerCommand.EncodeOnTwo(tokenizer, text, lines)),
                ("text to documents (ingest)", () => Ingest(folder)),
                ("documents to sealed shards, 1 thread", () => Tokenize(folder, threads: 1)),
                ("documents to sealed shards, 2 threads", () => Tokenize(folder, threads: 2)),
            ];
            double[] best = [.. contestants.Select(_ => double.MaxValue)];
            for (int round = 0; round < rounds; round++)
            {
                for (int i = 0; i < contestants.Length; i++)
                {
                    long start = Stopwatch.GetTimestamp();
                    contestants[i].Run();
                    best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }

            (string Name, double Seconds)[] rows = [.. contestants.Select(contestant => contestant.Name).Zip(best)];
            Print(text.Length, [.. rows, ("text to sealed shards, 2 threads", best[2] + best[4])], best[1]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(int bytes, IEnumerable<(string Name, double Seconds)> rows, double tokenizer)
    {
        Console.WriteLine($"{bytes / 1e6:F1} MB; {Environment.ProcessorCount} processors; filters off");
        Console.WriteLine("| what | MB/s | of the tokenizer on 2 threads |\n|---|--:|--:|");
        foreach ((string name, double seconds) in rows)
        {
            Console.WriteLine($"| {name} | {bytes / 1e6 / seconds:F1} | {tokenizer / seconds:F2} |");
        }
    }

    private static void Ingest(string folder) => IngestProgram.Run(
        new CorpusOptions { Paths = [Path.Combine(folder, "text.txt")], Parts = Parts, RemoveDuplicates = false },
        Path.Combine(folder, "corpus"),
        Silent.Reporter,
        CancellationToken.None);

    private static void Tokenize(string folder, int threads) => Parallel.For(
        0,
        Parts,
        new ParallelOptions { MaxDegreeOfParallelism = threads },
        part => TokenizeProgram.Run(
            Path.Combine(folder, "corpus"),
            part,
            Path.Combine(folder, "vocabulary"),
            new ExampleOptions(),
            seed: 1,
            Path.Combine(folder, $"shards-{part}"),
            Silent.Reporter,
            CancellationToken.None));

    private sealed class Silent : IStageReporter
    {
        public static Silent Reporter { get; } = new();

        public void Progress(long done, long total, string unit)
        {
        }

        public void Metric(string name, long step, double value)
        {
        }

        public void Log(string message)
        {
        }

        public void Checkpoint(long step, string folder)
        {
        }
    }
}
