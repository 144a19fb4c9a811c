using System.CommandLine;
using System.Diagnostics;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench;

/// <summary>Training a vocabulary against counting the words it is trained on.</summary>
internal static class VocabularyCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--input")
        {
            DefaultValueFactory = _ => EnglishText.DefaultFolder,
            Description = "folder of .txt.gz files",
        };
        var megabytes = new Option<int>("--megabytes") { DefaultValueFactory = _ => 50, Description = "text at most" };
        var size = new Option<int>("--size") { DefaultValueFactory = _ => 30_522, Description = "tokens" };
        var threads = new Option<int>("--threads")
        {
            DefaultValueFactory = _ => Environment.ProcessorCount,
            Description = "threads that count words",
        };
        var rounds = new Option<int>("--rounds") { DefaultValueFactory = _ => 3, Description = "measurements of each" };
        var command = new Command("vocabulary", "Seconds to train a vocabulary, and to count the words")
        {
            folder,
            megabytes,
            size,
            threads,
            rounds,
        };
        command.SetAction(parsed =>
            Measure(
                EnglishText.Read(parsed.GetRequiredValue(folder), parsed.GetRequiredValue(megabytes) * 1_000_000),
                parsed.GetRequiredValue(size),
                parsed.GetRequiredValue(threads),
                parsed.GetRequiredValue(rounds)
            )
        );
        return command;
    }

    private static void Measure(byte[] text, int size, int threads, int rounds)
    {
        double counting = double.MaxValue,
            merging = double.MaxValue;
        for (int round = 0; round < rounds; round++)
        {
            var counter = new WordCounter(new TokenizerOptions());
            long start = Stopwatch.GetTimestamp();
            WordCounting.AddLines(counter, new MemoryStream(text), threads, CancellationToken.None);
            counting = Math.Min(counting, Stopwatch.GetElapsedTime(start).TotalSeconds);
            start = Stopwatch.GetTimestamp();
            int tokens = VocabularyTrainer.Train(counter.Counts, new VocabularyTrainerOptions { Size = size }).Count;
            merging = Math.Min(merging, Stopwatch.GetElapsedTime(start).TotalSeconds);
            if (round == 0)
            {
                Console.WriteLine(
                    $"{text.Length / 1e6:F1} MB, {counter.Counts.Count:N0} distinct words, {tokens:N0} tokens; {threads} threads; "
                        + $"best of {rounds}"
                );
            }
        }

        Console.WriteLine($"| counting s | merging s | together s | together / counting |\n|--:|--:|--:|--:|");
        Console.WriteLine($"| {counting:F2} | {merging:F2} | {counting + merging:F2} | {(counting + merging) / counting:F2} |");
    }
}
