using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Pretraining;

public sealed class PretrainProgramTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("electra-program-").FullName;

    public PretrainProgramTests()
    {
        set_num_threads(1);
        WriteInputs();
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_run_that_was_stopped_and_went_on_gives_the_model_of_one_that_was_not()
    {
        PretrainResult straight = PretrainProgram.Run(Request("straight"), new RecordingReporter(), CancellationToken.None);
        Assert.Equal(12, straight.Steps);
        Assert.Equal(0, straight.ResumedFrom);

        using var source = new CancellationTokenSource();
        var reporter = new RecordingReporter { OnProgress = done => StopAt(done, source) };
        Assert.Throws<OperationCanceledException>(() => PretrainProgram.Run(Request("stopped"), reporter, source.Token));
        PretrainRequest goesOn = Request("stopped") with { ResumeFrom = reporter.Checkpoints[^1].Folder };
        PretrainResult resumed = PretrainProgram.Run(goesOn, new RecordingReporter(), CancellationToken.None);
        Assert.Equal(8, resumed.ResumedFrom);
        Assert.Equal(straight.HeldOut, resumed.HeldOut);
        foreach (string name in new[] { "discriminator/model.safetensors", "generator/model.safetensors" })
        {
            Assert.Equal(File.ReadAllBytes(Output("straight", name)), File.ReadAllBytes(Output("stopped", name)));
        }

        var measured = new EvaluateRequest
        {
            ModelFolder = Output("straight"),
            ShardFolders = [Path.Combine(root, "shards")],
            VocabularyFolder = Path.Combine(root, "vocabulary"),
            Evaluate = goesOn.Evaluate,
            Threads = 2,
        };
        Assert.Equal(straight.HeldOut, EvaluateProgram.Run(measured, new RecordingReporter(), CancellationToken.None));

        static void StopAt(long done, CancellationTokenSource source)
        {
            if (done == 8)
            {
                source.Cancel();
            }
        }
    }

    [Fact]
    public void A_checkpoint_of_another_configuration_is_refused()
    {
        var reporter = new RecordingReporter();
        PretrainProgram.Run(Request("first"), reporter, CancellationToken.None);
        PretrainRequest other = Request("second") with { ResumeFrom = reporter.Checkpoints[0].Folder };
        other = other with { Pretrain = other.Pretrain with { LearningRate = 0.5 } };
        PermanentException refused = Assert.Throws<PermanentException>(() => PretrainProgram.Run(other, reporter, CancellationToken.None));
        Assert.Contains("LearningRate was 0.001, is 0.5", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Examples_longer_than_the_model_are_refused()
    {
        PretrainRequest request = Request("long") with { Model = new ModelOptions { Preset = "tiny", MaxPositions = 8 } };
        PermanentException refused = Assert.Throws<PermanentException>(() => PretrainProgram.Run(request, new RecordingReporter(), CancellationToken.None));
        Assert.Contains("maxPositions", refused.Message, StringComparison.Ordinal);
    }

    private PretrainRequest Request(string name) => new()
    {
        Model = new ModelOptions { Preset = "tiny", Layers = 2, HiddenSize = 32, IntermediateSize = 64, AttentionHeads = 2, EmbeddingSize = 16, HiddenDropout = 0.1 },
        Pretrain = new PretrainOptions
        {
            Steps = 12, BatchSize = 8, MicroBatchSize = 4, LearningRate = 1e-3, WarmupSteps = 3, CheckpointSteps = 4, EvaluateSteps = 6, LogSteps = 2,
            Device = "cpu", Replicas = 2,
        },
        Evaluate = new EvaluateOptions { MaxExamples = 50 },
        Seed = 42,
        ShardFolders = [Path.Combine(root, "shards")],
        VocabularyFolder = Path.Combine(root, "vocabulary"),
        OutputFolder = Output(name),
        WorkFolder = Path.Combine(root, name, "work"),
    };

    private string Output(string name, string file = "") => Path.Combine(root, name, "output", file);

    /// <summary>A corpus of made-up sentences, through the same programs as in production.</summary>
    private void WriteInputs()
    {
        var random = new CounterRandom(8, 8);
        string[] words = [.. Enumerable.Range(0, 40).Select(i => $"word{(char)('a' + (i % 26))}{(char)('a' + (i / 26))}")];
        using (StreamWriter text = File.CreateText(Path.Combine(root, "text.txt")))
        {
            for (int document = 0; document < 300; document++)
            {
                for (int sentence = 0; sentence < 3; sentence++)
                {
                    text.WriteLine(string.Join(' ', Enumerable.Range(0, 5 + random.Next(8)).Select(_ => words[random.Next(words.Length)])));
                }

                text.WriteLine();
            }
        }

        var reporter = new RecordingReporter();
        string corpus = Path.Combine(root, "corpus"), vocabulary = Path.Combine(root, "vocabulary");
        IngestProgram.Run(new CorpusOptions { Paths = [Path.Combine(root, "text.txt")], Parts = 1 }, corpus, reporter, CancellationToken.None);
        VocabularyStore.Write(vocabulary, new Vocabulary([.. SpecialTokens.All, .. words]), new TokenizerOptions());
        var examples = new ExampleOptions { SequenceLength = 32, HeldOutShare = 0.2 };
        Directory.CreateDirectory(Path.Combine(root, "shards"));
        TokenizeProgram.Run(corpus, 0, vocabulary, examples, 42, Path.Combine(root, "shards"), reporter, CancellationToken.None);
    }
}
