using System.Diagnostics;
using System.Text;
using ElectraPipeline.Training;

namespace ElectraPipeline.EndToEnd.Tests.Pipelines;

/// <summary>A folder with a small corpus, a config that a few seconds can train, and a data folder of its own.</summary>
internal sealed class TinyProject : IDisposable
{
    private static readonly string[] Subjects = ["the cat", "a dog", "my friend", "the old man", "this bird", "our teacher"];
    private static readonly string[] Verbs = ["sees", "likes", "finds", "follows", "paints", "hears"];
    private static readonly string[] Objects = ["a red house", "the blue river", "an apple", "the green hill", "some bread", "the moon"];

    private readonly string folder = Directory.CreateTempSubdirectory("electra-tiny-").FullName;

    public TinyProject()
    {
        Directory.CreateDirectory(Path.Combine(folder, "corpus"));
        File.WriteAllText(Path.Combine(folder, "corpus", "sentences.txt"), Sentences(300));
        WriteConfig();
    }

    public string Config => Path.Combine(folder, "tiny.json");

    public string DataFolder => Path.Combine(folder, "data");

    /// <summary>Variables that lead "electra" here and nowhere else.</summary>
    public Dictionary<string, string?> Environment => new() { ["ELECTRA_DATA"] = DataFolder, ["ELECTRA_DATABASE"] = null, ["ELECTRA_TOKEN"] = null };

    public string PathOf(string name) => Path.Combine(folder, name);

    /// <summary>Writes the config; <paramref name="rest"/> is more of its keys.</summary>
    public void WriteConfig(string corpus = "corpus", int steps = 30, string rest = "") => File.WriteAllText(
        Config,
        $$"""
        {
          "name": "tiny",
          "corpus": { "paths": ["{{corpus}}"], "parts": 2 },
          "vocabulary": { "size": 120 },
          "examples": { "sequenceLength": 32, "heldOutShare": 0.1 },
          "model": { "preset": "tiny", "layers": 1, "hiddenSize": 32, "intermediateSize": 64, "attentionHeads": 2, "embeddingSize": 32 },
          "pretrain": { "steps": {{steps}}, "batchSize": 8, "microBatchSize": 8, "warmupSteps": 5, "checkpointSteps": 10, "evaluateSteps": 0, "logSteps": 5, "device": "cpu" },
          "evaluate": { "maxExamples": 16 }{{rest}}
        }
        """);

    public Task<ProcessResult> RunAsync(params string[] arguments) => BuiltElectra.RunAsync(Environment, arguments);

    public StartedProcess Start(params string[] arguments) => BuiltElectra.Start(Environment, arguments);

    /// <summary>Ends the PostgreSQL that outlived a killed process, and removes the folder.</summary>
    public void Dispose()
    {
        string processFile = Path.Combine(DataFolder, "postgresql", "data", "postmaster.pid");
        if (File.Exists(processFile) && int.TryParse(File.ReadLines(processFile).FirstOrDefault(), out int server))
        {
            using Process? kill = Process.Start("kill", ["-QUIT", $"{server}"]);
            kill?.WaitForExit();
            for (int tries = 0; File.Exists(processFile) && tries < 100; tries++)
            {
                Thread.Sleep(50);
            }
        }

        Directory.Delete(folder, recursive: true);
    }

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
