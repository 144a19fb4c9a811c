using System.Diagnostics;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench;

/// <summary>The whole path from a text file to sealed shards on two threads, beside the tokenizer alone on the same text.</summary>
internal static class ShardPathSpeed
{
    private const int Parts = 2;

    /// <summary>
    /// Measures and prints; the best of some rounds, taken in turn. Processor seconds compare even where other programs take their share
    /// of the processors; seconds on the clock only on an idle machine.
    /// </summary>
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
                ("text to sealed shards, 1 thread", () => Build(folder, vocabulary, threads: 1)),
                ("text to sealed shards, 2 threads", () => Build(folder, vocabulary, threads: 2)),
                ("T ctor", () => new WordPieceTokenizer(vocabulary, new TokenizerOptions())),
                ("T cut", () => { var c = new PlainTextCutter(); ReadOnlySpan<byte> r = text; while (c.Next(ref r)) { } }),
                ("T cut hash encode", () => { var c = new PlainTextCutter(); var e = new EncodedDocument(); ReadOnlySpan<byte> r = text; ulong h = 0; while (c.Next(ref r)) { h += System.IO.Hashing.XxHash3.HashToUInt64(c.Text); e.Encode(c.Text, tokenizer); } }),
                ("T cut pack", () => { var c = new PlainTextCutter(); var e = new DocumentPacker(vocabulary, new ExampleOptions(), 1); ReadOnlySpan<byte> r = text; long n = 0; while (c.Next(ref r)) { e.Pack(c.Text, tokenizer, (a, b) => n += a.Length, (a, b) => n += a.Length); } }),
                ("T read chunks", () => { using var c = new TextChunks([Path.Combine(folder, "text.txt")]); while (c.Next() is { } x) { x.Dispose(); } }),
                ("T sha", () => System.Security.Cryptography.SHA256.HashData(text)),
                ("T zstd3", () => { using var z = new ZstdSharp.CompressionStream(Stream.Null, 3); z.Write(text); }),
                ("T zstd1", () => { using var z = new ZstdSharp.CompressionStream(Stream.Null, 1); z.Write(text); }),
                ("T zstd-3", () => { using var z = new ZstdSharp.CompressionStream(Stream.Null, -3); z.Write(text); }),
                ("text to documents (ingest)", () => Ingest(folder)),
                ("documents to sealed shards, 1 thread", () => Tokenize(folder, threads: 1)),
                ("documents to sealed shards, 2 threads", () => Tokenize(folder, threads: 2)),
            ];
            (double Wall, double Processor)[] best = [.. contestants.Select(_ => (double.MaxValue, double.MaxValue))];
            for (int round = 0; round < rounds; round++)
            {
                for (int i = 0; i < contestants.Length; i++)
                {
                    long start = Stopwatch.GetTimestamp();
                    TimeSpan used = Environment.CpuUsage.TotalTime;
                    contestants[i].Run();
                    best[i].Wall = Math.Min(best[i].Wall, Stopwatch.GetElapsedTime(start).TotalSeconds);
                    best[i].Processor = Math.Min(best[i].Processor, (Environment.CpuUsage.TotalTime - used).TotalSeconds);
                }
            }

            Console.WriteLine($"{text.Length / 1e6:F1} MB; {Environment.ProcessorCount} processors; filters off; best of {rounds}");
            Console.WriteLine("| what | MB/s | of the tokenizer on 2 threads | MB a processor second | of the tokenizer |\n|---|--:|--:|--:|--:|");
            for (int i = 0; i < contestants.Length; i++)
            {
                Row(contestants[i].Name, best[i].Wall, best[i].Processor);
            }

            

            void Row(string name, double wall, double processor) => Console.WriteLine(
                $"| {name} | {text.Length / 1e6 / wall:F1} | {best[1].Wall / wall:F2} | {text.Length / 1e6 / processor:F1} | {best[1].Processor / processor:F2} |");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Build(string folder, Vocabulary vocabulary, int threads) => ShardBuildProgram.Run(
        new ShardBuildRequest
        {
            Inputs = [Path.Combine(folder, "text.txt")],
            Vocabulary = vocabulary,
            OutputFolder = Path.Combine(folder, "built"),
            Threads = threads,
        },
        CancellationToken.None);

    private static void Ingest(string folder) => IngestProgram.Run(
        new CorpusOptions { Paths = [Path.Combine(folder, "text.txt")], Parts = Parts, RemoveDuplicates = false },
        Path.Combine(folder, "corpus"),
        SilentReporter.Instance,
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
            SilentReporter.Instance,
            CancellationToken.None));
}
