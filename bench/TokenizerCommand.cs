using System.CommandLine;
using System.Diagnostics;
using System.Text;
using System.Text.Unicode;
using ElectraPipeline.Training.Tokenization;
using BertTokenizer = Microsoft.ML.Tokenizers.BertTokenizer;

namespace ElectraPipeline.Bench;

/// <summary>Tokenizers side by side on the same lines in the same process; the best of some rounds, taken in turn.</summary>
internal static class TokenizerCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--input")
        {
            DefaultValueFactory = _ => EnglishText.DefaultFolder,
            Description = "folder of .txt.gz files",
        };
        var vocabulary = new Option<string>("--vocab")
        {
            DefaultValueFactory = _ => "../shared/data/vocab/bert-base-uncased/vocab.txt",
            Description = "uncased vocab.txt",
        };
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 3, Description = "measurements of each" };
        var megabytes = new Option<int>("--megabytes") { DefaultValueFactory = _ => 75, Description = "text at most" };
        var command = new Command("tokenizer", "MB/s and tokens/s of the tokenizers on English text")
        {
            folder,
            vocabulary,
            rounds,
            megabytes,
        };
        command.SetAction(parsed =>
            Measure(
                EnglishText.Read(parsed.GetRequiredValue(folder), parsed.GetRequiredValue(megabytes) * 1_000_000),
                parsed.GetRequiredValue(vocabulary),
                parsed.GetRequiredValue(rounds)
            )
        );
        return command;
    }

    private static void Measure(byte[] text, string vocabularyPath, int rounds)
    {
        List<Range> lines = EnglishText.Lines(text);
        string[] strings = [.. lines.Select(line => Encoding.UTF8.GetString(text.AsSpan(line)))];
        Vocabulary vocabulary = Vocabulary.Load(vocabularyPath);
        BertTokenizer package = BertTokenizer.Create(vocabularyPath);
        var exact = new ReferenceTokenizer(vocabulary, new TokenizerOptions());
        var ours = new WordPieceTokenizer(vocabulary, new TokenizerOptions());
        (string Name, Func<long> Run)[] contestants =
        [
            ("Microsoft.ML.Tokenizers, default", () => strings.Sum(line => (long)package.EncodeToIds(line, addSpecialTokens: false).Count)),
            ("Microsoft.ML.Tokenizers, exact", () => strings.Sum(line => (long)Count(exact, line))),
            ("WordPieceTokenizer, 1 thread", () => Encode(ours, text, lines, 0, lines.Count)),
            ("WordPieceTokenizer, 2 threads", () => EncodeOnTwo(ours, text, lines)),
            ("UTF-8 validation", () => Utf8.IsValid(text) ? 0 : -1),
        ];
        double[] best = new double[contestants.Length];
        Array.Fill(best, double.MaxValue);
        long[] tokens = new long[contestants.Length];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < contestants.Length; i++)
            {
                long start = Stopwatch.GetTimestamp();
                tokens[i] = contestants[i].Run();
                best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        Console.WriteLine($"{text.Length / 1e6:F1} MB, {lines.Count:N0} lines, best of {rounds}; {Environment.ProcessorCount} processors");
        Console.WriteLine("| tokenizer | MB/s | million tokens/s | tokens | x default |\n|---|--:|--:|--:|--:|");
        for (int i = 0; i < contestants.Length; i++)
        {
            Console.WriteLine(
                $"| {contestants[i].Name} | {text.Length / 1e6 / best[i]:F1} | {tokens[i] / 1e6 / best[i]:F1} | {tokens[i]:N0} | "
                    + $"{best[0] / best[i]:F1} |"
            );
        }
    }

    private static int Count(ITokenizer tokenizer, string line)
    {
        var ids = new List<int>();
        tokenizer.Encode(line, ids);
        return ids.Count;
    }

    internal static long Encode(WordPieceTokenizer tokenizer, byte[] text, List<Range> lines, int first, int last)
    {
        var ids = new List<int>();
        long count = 0;
        for (int i = first; i < last; i++)
        {
            ids.Clear();
            tokenizer.Encode(text.AsSpan(lines[i]), ids);
            count += ids.Count;
        }

        return count;
    }

    internal static long EncodeOnTwo(WordPieceTokenizer tokenizer, byte[] text, List<Range> lines)
    {
        int half = lines.FindIndex(line => line.End.Value > text.Length / 2);
        long other = 0;
        var thread = new Thread(() => other = Encode(tokenizer, text, lines, half, lines.Count));
        thread.Start();
        long own = Encode(tokenizer, text, lines, 0, half);
        thread.Join();
        return own + other;
    }
}
