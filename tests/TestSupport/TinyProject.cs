using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ElectraPipeline.Training;
using Xunit;

namespace ElectraPipeline.TestSupport;

/// <summary>A folder with a small corpus, a config that a few seconds can train, and a data folder of its own.</summary>
public sealed class TinyProject : IDisposable
{
    private static readonly string[] Subjects = ["the cat", "a dog", "my friend", "the old man", "this bird", "our teacher"];
    private static readonly string[] Verbs = ["sees", "likes", "finds", "follows", "paints", "hears"];
    private static readonly string[] Objects = ["a red house", "the blue river", "an apple", "the green hill", "some bread", "the moon"];

    private readonly string folder = Directory.CreateTempSubdirectory("electra-tiny-").FullName;
    private readonly string? dataFolder;
    private readonly string? database;

    /// <summary>Makes the project.</summary>
    /// <param name="dataFolder">Where its data goes; null: a folder inside the project.</param>
    /// <param name="database">Connection string; null: the data folder's own PostgreSQL.</param>
    public TinyProject(string? dataFolder = null, string? database = null)
    {
        this.dataFolder = dataFolder;
        this.database = database;
        Directory.CreateDirectory(Path.Combine(folder, "corpus"));
        File.WriteAllText(Path.Combine(folder, "corpus", "sentences.txt"), Sentences(300));
        WriteConfig();
    }

    public string Config => Path.Combine(folder, "tiny.json");

    public string DataFolder => dataFolder ?? Path.Combine(folder, "data");

    /// <summary>Id of the first process of the data folder's PostgreSQL; null while there is none.</summary>
    public int? DatabaseProcess =>
        File.Exists(ProcessFile) && int.TryParse(File.ReadLines(ProcessFile).FirstOrDefault(), out int id) ? id : null;

    /// <summary>Number of checkpoints sealed so far.</summary>
    public int Checkpoints => SealedFiles("state.safetensors").Count();

    /// <summary>Digests of the weights of the discriminators and generators that were sealed.</summary>
    public IReadOnlyList<string> Weights =>
        [.. SealedFiles("model.safetensors").Select(file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))).Order()];

    private string ProcessFile => Path.Combine(DataFolder, "postgresql", "data", "postmaster.pid");

    /// <summary>Variables that lead "electra" here and nowhere else.</summary>
    public Dictionary<string, string?> Environment =>
        new(More)
        {
            ["ELECTRA_DATA"] = DataFolder,
            ["ELECTRA_DATABASE"] = database,
            ["ELECTRA_TOKEN"] = null,
        };

    /// <summary>More variables for "electra".</summary>
    public Dictionary<string, string?> More { get; } = [];

    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>Writes the config; <paramref name="rest"/> is more of its keys.</summary>
    public void WriteConfig(string corpus = "corpus", int steps = 30, int seed = 1, string rest = "") =>
        File.WriteAllText(
            Config,
            $$"""
            {
              "name": "tiny",
              "seed": {{seed}},
              "corpus": { "paths": ["{{corpus}}"], "parts": 2 },
              "vocabulary": { "size": 120 },
              "examples": { "sequenceLength": 32, "heldOutShare": 0.1 },
              "model": {
                "preset": "tiny", "layers": 1, "hiddenSize": 32, "intermediateSize": 64, "attentionHeads": 2, "embeddingSize": 32
              },
              "pretrain": {
                "steps": {{steps}}, "batchSize": 8, "microBatchSize": 8, "warmupSteps": 5,
                "checkpointSteps": 10, "evaluateSteps": 0, "logSteps": 5, "device": "cpu"
              },
              "evaluate": { "maxExamples": 16 }{{rest}}
            }
            """
        );

    /// <summary>Writes the reference discriminator with a vocabulary as another program would leave it, and a task, "pets.tsv".</summary>
    public void WriteImportable(string name)
    {
        string[] words = [.. Subjects.Concat(Verbs).Concat(Objects).SelectMany(text => text.Split(' ')).Append(".").Distinct()];
        IEnumerable<string> tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. words];
        Directory.CreateDirectory(PathOf(name));
        foreach (string file in (string[])["config.json", "model.safetensors"])
        {
            File.Copy(SharedData.Require($"golden/electra-tiny/discriminator/{file}"), Path.Combine(PathOf(name), file));
        }

        int count = words.Length + 5;
        File.WriteAllLines(
            Path.Combine(PathOf(name), "vocab.txt"),
            tokens.Concat(Enumerable.Range(count, 997 - count).Select(i => $"[unused{i}]"))
        );
        string[] sentences = Sentences(40).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        File.WriteAllLines(
            PathOf("pets.tsv"),
            sentences
                .Distinct()
                .Select(text => $"{text}\t{(text.Contains("cat") || text.Contains("dog") ? "pet" : "other")}")
                .Prepend("text\tlabel")
        );
    }

    public Task<ProcessResult> RunAsync(params string[] arguments) => BuiltElectra.RunAsync(Environment, arguments);

    public StartedProcess Start(params string[] arguments) => BuiltElectra.Start(Environment, arguments);

    /// <summary>Runs a command that must end with exit code 0, and returns what it left.</summary>
    public async Task<ProcessResult> SucceedAsync(params string[] arguments)
    {
        ProcessResult result = await RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result;
    }

    /// <summary>State of the first run.</summary>
    public async Task<string> StateAsync() => (await StatusAsync()).GetProperty("summary").GetProperty("state").GetString()!;

    /// <summary>The stages of the first run by name, with the shard where there is one: "finetune[fruit]".</summary>
    public async Task<IReadOnlyDictionary<string, JsonElement>> StagesAsync() =>
        (await StatusAsync()).GetProperty("stages").EnumerateArray().ToDictionary(stage => stage.GetProperty("displayName").GetString()!);

    /// <summary>Waits, for three minutes at most, until a condition holds; fails if <paramref name="process"/> ends before.</summary>
    public static async Task WaitForAsync(Func<Task<bool>> condition, StartedProcess process)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!await condition())
        {
            Assert.False(process.HasExited, process.HasExited ? process.Snapshot().ToString() : "");
            await Task.Delay(200, limit.Token);
        }
    }

    /// <summary>Ends the PostgreSQL that outlived a killed process, and removes the folder.</summary>
    public void Dispose()
    {
        if (DatabaseProcess is { } server)
        {
            using Process? kill = Process.Start("kill", ["-QUIT", $"{server}"]);
            kill?.WaitForExit();
            for (int tries = 0; File.Exists(ProcessFile) && tries < 100; tries++)
            {
                Thread.Sleep(50);
            }
        }

        Directory.Delete(folder, recursive: true);
    }

    private async Task<JsonElement> StatusAsync() => JsonDocument.Parse((await SucceedAsync("status", "1", "--json")).Output).RootElement;

    private IEnumerable<string> SealedFiles(string name) =>
        Directory.Exists(Path.Combine(DataFolder, "objects"))
            ? Directory.EnumerateFiles(Path.Combine(DataFolder, "objects"), name, SearchOption.AllDirectories)
            : [];

    private static string Sentences(int documents)
    {
        var random = new CounterRandom(1, 2);
        var text = new StringBuilder();
        for (int i = 0; i < documents; i++)
        {
            for (int line = 2 + random.Next(4); line > 0; line--)
            {
                text.Append($"{Pick(Subjects)} {Pick(Verbs)} {Pick(Objects)}.\n");
            }

            text.Append('\n');
        }

        return text.ToString();

        string Pick(string[] words) => words[random.Next(words.Length)];
    }
}
