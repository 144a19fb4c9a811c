using System.Text;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Corpus.Filters;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Bench;

/// <summary>
/// The two ways from a text file to sealed shards beside the tokenizer alone on the same text: the short one of <c>electra shards
/// build</c>, and that of a run, which ingests (with its cache of records, empty at first) and then tokenizes part by part.
/// </summary>
internal sealed class ShardPathSpeed : IDisposable
{
    private const int Threads = 2;

    /// <summary>
    /// The ways to shards read the text so many times over, since what is done once a shard (tables, the disk's last flush) takes a tenth
    /// of a second. The documents of a copy begin with its number, so that none is a duplicate.
    /// </summary>
    private const int Copies = 6;
    private readonly string folder = Directory.CreateTempSubdirectory("electra-bench-").FullName;
    private readonly byte[] text;
    private readonly Vocabulary vocabulary;
    private readonly WordPieceTokenizer tokenizer;
    private string corpus = "";
    private int outputs;

    private ShardPathSpeed(byte[] text, string vocabularyPath)
    {
        this.text = text;
        File.WriteAllBytes(TextPath, text);
        List<Range> lines = EnglishText.Lines(text);
        Directory.CreateDirectory(CopiesPath);
        for (int i = 0; i < Copies; i++)
        {
            using FileStream copy = File.Create(Path.Combine(CopiesPath, $"{i}.txt"));
            WriteCopy(copy, lines, Encoding.ASCII.GetBytes($"{i} "));
        }

        vocabulary = Vocabulary.Load(vocabularyPath);
        VocabularyStore.Write(Path.Combine(folder, "vocabulary"), vocabulary, new TokenizerOptions());
        tokenizer = new WordPieceTokenizer(vocabulary, new TokenizerOptions());
    }

    /// <summary>A new name each time: to write over a file of hundreds of megabytes costs what it takes to free the old one.</summary>
    private string NewFolder => Path.Combine(folder, $"output-{outputs++}");

    private static CorpusFilterOptions AllFilters { get; } =
        new()
        {
            Length = new(),
            Language = new(),
            GopherQuality = new(),
            GopherRepetition = new(),
            NearDuplicates = new(),
        };

    private string TextPath => Path.Combine(folder, "text.txt");

    private string CopiesPath => Path.Combine(folder, "copies");

    /// <summary>
    /// Measures and prints. Processor seconds compare even where other programs take their share of the processors; seconds on the
    /// clock only on an idle machine.
    /// </summary>
    public static void Print(byte[] text, string vocabularyPath, int rounds)
    {
        using var speed = new ShardPathSpeed(text, vocabularyPath);
        speed.PrintWays(rounds);
        speed.PrintFilters(rounds);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void WriteCopy(FileStream copy, List<Range> lines, byte[] number)
    {
        bool isBlank = true;
        foreach (Range line in lines)
        {
            ReadOnlySpan<byte> bytes = text.AsSpan(line);
            bool wasBlank = isBlank;
            isBlank = bytes.Trim(" \t\r"u8).IsEmpty;
            if (wasBlank && !isBlank)
            {
                copy.Write(number);
            }

            copy.Write(bytes);
            copy.Write("\n"u8);
        }
    }

    private void PrintWays(int rounds)
    {
        List<Range> lines = EnglishText.Lines(text);
        (string Name, Action Run, int Copies)[] ways =
        [
            ("tokenizer alone, 1 thread", () => TokenizerCommand.Encode(tokenizer, text, lines, 0, lines.Count), 1),
            ("tokenizer alone, 2 threads", () => TokenizerCommand.EncodeOnTwo(tokenizer, text, lines), 1),
            ("short way, 1 thread", () => Build(threads: 1), Copies),
            ("short way, 2 threads", () => Build(Threads), Copies),
            ("a run's ingestion, 2 threads", () => Ingest(CopiesPath, null), Copies),
            ("a run's tokenization, 2 threads", Tokenize, Copies),
            ("a run's way, 2 threads", () => IngestAndTokenize(CopiesPath, null), Copies),
            ("a run's way with filters and near-duplicate removal, 2 threads", () => IngestAndTokenize(TextPath, AllFilters), 1),
        ];
        IReadOnlyList<Timing> best = Timing.Best([.. ways.Select(way => way.Run)], rounds, DeleteOutputs);
        double[] megabytes = [.. ways.Select(way => way.Copies * text.Length / 1e6)];
        double clock = megabytes[1] / best[1].Clock;
        double processor = megabytes[1] / best[1].Processor;
        Console.WriteLine(
            $"{megabytes[0]:F1} MB, the ways without filters {Copies} times as much; {Environment.ProcessorCount} processors; "
                + $"best of {rounds}; filters off unless said"
        );
        Console.WriteLine(
            "| what | MB/s | of the tokenizer on 2 threads | MB a processor second | of the tokenizer |\n|---|--:|--:|--:|--:|"
        );
        foreach ((Timing time, int i) in best.Select((time, i) => (time, i)))
        {
            Console.WriteLine(
                $"| {ways[i].Name} | {megabytes[i] / time.Clock:F1} | {megabytes[i] / time.Clock / clock:F2} "
                    + $"| {megabytes[i] / time.Processor:F1} | {megabytes[i] / time.Processor / processor:F2} |"
            );
        }
    }

    /// <summary>What each filter adds to ingestion when it is the only one.</summary>
    private void PrintFilters(int rounds)
    {
        (string Name, CorpusFilterOptions? Filters)[] rows =
        [
            ("no filter", null),
            ("length", new() { Length = new() }),
            ("language", new() { Language = new() }),
            ("Gopher quality", new() { GopherQuality = new() }),
            ("Gopher repetition", new() { GopherRepetition = new() }),
            ("near-duplicates", new() { NearDuplicates = new() }),
            ("all of them", AllFilters),
        ];
        IReadOnlyList<Timing> best = Timing.Best(
            [.. rows.Select(row => (Action)(() => Ingest(TextPath, row.Filters)))],
            rounds,
            DeleteOutputs
        );
        double megabytes = text.Length / 1e6;
        Console.WriteLine("\n| ingestion, 2 threads, with | MB/s | processor ms a MB | more than without |\n|---|--:|--:|--:|");
        foreach ((Timing time, int i) in best.Select((time, i) => (time, i)))
        {
            Console.WriteLine(
                $"| {rows[i].Name} | {megabytes / time.Clock:F1} | {1e3 * time.Processor / megabytes:F1} "
                    + $"| {1e3 * (time.Processor - best[0].Processor) / megabytes:F1} |"
            );
        }
    }

    private void Build(int threads) =>
        ShardBuildProgram.Run(
            new ShardBuildRequest
            {
                Inputs = [CopiesPath],
                Vocabulary = vocabulary,
                OutputFolder = NewFolder,
                Threads = threads,
            },
            CancellationToken.None
        );

    private void IngestAndTokenize(string path, CorpusFilterOptions? filters)
    {
        Ingest(path, filters);
        Tokenize();
    }

    /// <summary>Deletes all outputs but the corpus, which is tokenized next.</summary>
    private void DeleteOutputs()
    {
        foreach (string output in Directory.EnumerateDirectories(folder, "output-*").Where(output => output != corpus))
        {
            Directory.Delete(output, recursive: true);
        }
    }

    private void Ingest(string path, CorpusFilterOptions? filters)
    {
        corpus = NewFolder;
        IngestProgram.Run(
            new CorpusOptions { Paths = [path], Filters = filters },
            corpus,
            SilentReporter.Instance,
            CancellationToken.None,
            cacheFolder: NewFolder,
            Threads
        );
    }

    private void Tokenize()
    {
        string shards = NewFolder;
        Parallel.For(
            0,
            new CorpusOptions { Paths = [] }.Parts,
            new ParallelOptions { MaxDegreeOfParallelism = Threads },
            part =>
                TokenizeProgram.Run(
                    corpus,
                    part,
                    Path.Combine(folder, "vocabulary"),
                    new ExampleOptions(),
                    seed: 1,
                    Path.Combine(shards, $"{part}"),
                    SilentReporter.Instance,
                    CancellationToken.None
                )
        );
    }
}
