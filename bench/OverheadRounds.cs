using ElectraPipeline.Jobs;
using ElectraPipeline.Storage;
using ElectraPipeline.Storage.ReadModels;
using ElectraPipeline.Training;
using ElectraPipeline.Training.Pretraining;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ElectraPipeline.Bench;

/// <summary>One worker with its defaults, and runs that end when their pre-training has.</summary>
internal sealed class OverheadRounds : IAsyncDisposable
{
    private const int Documents = 4_000;
    private readonly DirectoryInfo folder;
    private readonly ElectraStorage storage;
    private readonly IHost host;

    private OverheadRounds(DirectoryInfo folder, ElectraStorage storage, IHost host)
    {
        this.folder = folder;
        this.storage = storage;
        this.host = host;
    }

    private string Corpus => Path.Combine(folder.FullName, "corpus.txt");

    private string TimesFile => Path.Combine(folder.FullName, "times.json");

    public static async Task<OverheadRounds> StartAsync(CancellationToken cancellationToken)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("electra-bench-");
        ElectraStorage storage = await ElectraStorage.OpenAsync(
            new StorageOptions { DataFolder = Path.Combine(folder.FullName, "data") },
            cancellationToken
        );
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddElectraWorker(storage, new WorkerOptions());
        IHost host = builder.Build();
        await host.StartAsync(cancellationToken);
        var rounds = new OverheadRounds(folder, storage, host);
        rounds.WriteCorpus();
        Environment.SetEnvironmentVariable(OverheadChild.Variable, rounds.TimesFile);
        return rounds;
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync(CancellationToken.None);
        host.Dispose();
        await storage.DisposeAsync();
        folder.Delete(recursive: true);
    }

    public async Task MeasureAsync(int rounds, int steps, int checkpointSteps, int logSteps, CancellationToken cancellationToken)
    {
        Console.WriteLine(
            "| round | bare loop, s | the stage's work, s | bare loop, s | ratio | ratio of processor seconds | whole stage, s "
                + "|\n|---|--:|--:|--:|--:|--:|--:|"
        );
        var ratios = new List<double>();
        var processorRatios = new List<double>();
        for (int round = 1; round <= rounds; round++)
        {
            var config = ConfigOf(
                round,
                new PretrainOptions
                {
                    Steps = steps,
                    BatchSize = 32,
                    MicroBatchSize = 16,
                    Replicas = 2,
                    WarmupSteps = Math.Min(100, steps / 2),
                    CheckpointSteps = checkpointSteps,
                    LogSteps = logSteps,
                }
            );
            StageRow stage = await PretrainAsync(config, cancellationToken);
            var times = CanonicalJson.Read<OverheadTimes>(await File.ReadAllTextAsync(TimesFile, cancellationToken));
            double whole =
                (stage.FinishedAt!.Value - stage.StartedAt!.Value).TotalSeconds - times.Before.Wall - times.After.Wall - times.Other;
            ratios.Add(times.Ratio);
            processorRatios.Add(times.ProcessorRatio);
            Console.WriteLine(
                $"| {round} | {times.Before.Wall:0.00} | {times.Stage.Wall:0.00} | {times.After.Wall:0.00} | {times.Ratio:0.000} | "
                    + $"{times.ProcessorRatio:0.000} | {whole:0.00} |"
            );
        }

        Console.WriteLine(
            $"\n{steps} steps a stage, a checkpoint each {checkpointSteps}, a point of each curve each {logSteps}. The stage's work takes "
                + $"{Spread(ratios)} of the bare loop's time and {Spread(processorRatios)} of its processor seconds.\n"
                + "The whole stage, from its claim to its publication, is the work, the start of the child process and the sealing "
                + "of the model."
        );
    }

    private static string Spread(List<double> ratios) => $"{ratios.Average():0.000} ({ratios.Min():0.000} to {ratios.Max():0.000})";

    private RunConfig ConfigOf(int seed, PretrainOptions pretrain) =>
        new()
        {
            Name = "bench",
            Seed = seed,
            Corpus = new()
            {
                Paths = [Corpus],
                Parts = 1,
                RemoveDuplicateLines = false,
            },
            Vocabulary = new() { Size = 2_048 },

            // Without held-out text nothing is evaluated: an evaluation is work that was asked for, not what the pipeline adds.
            Examples = new() { SequenceLength = 64, HeldOutShare = 0 },
            Model = new() { Preset = "tiny" },
            Pretrain = pretrain,
        };

    private async Task<StageRow> PretrainAsync(RunConfig config, CancellationToken cancellationToken)
    {
        long run = await host.Services.GetRequiredService<RunSubmission>().SubmitAsync(config, "user", "user:bench", cancellationToken);
        while (true)
        {
            await Task.Delay(100, cancellationToken);
            RunDetail? detail = await storage.Queries.RunAsync(run, cancellationToken);
            StageRow? stage = detail?.Stages.Single(stage => stage.Stage == "pretrain");
            if (stage?.State == StageState.Succeeded)
            {
                await storage.Runs.CancelAsync(run, "user:bench", cancellationToken);
                return stage;
            }

            if (detail?.Summary.State == RunState.Failed)
            {
                throw new InvalidOperationException(string.Join('\n', detail.Stages.Select(failed => failed.Error)));
            }
        }
    }

    private void WriteCorpus()
    {
        var random = new CounterRandom(1, 0);
        string Word(int word)
        {
            char[] letters = new char[2 + (word % 7)];
            for (int i = 0; i < letters.Length; i++, word = (word * 31) + 7)
            {
                letters[i] = (char)('a' + (((word % 26) + 26) % 26));
            }

            return new string(letters);
        }

        File.WriteAllLines(
            Corpus,
            Enumerable
                .Range(0, Documents)
                .Select(_ =>
                    string.Join(' ', Enumerable.Range(0, 60).Select(_ => Word((int)(3_000 * Math.Pow(random.NextDouble(), 3))))) + ".\n"
                )
        );
    }
}
