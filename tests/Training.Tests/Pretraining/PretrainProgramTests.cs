using ElectraPipeline.Training.Checkpoints;
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
    private const string Weights = "discriminator/model.safetensors";
    private const string GeneratorWeights = "generator/model.safetensors";
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
        var undisturbed = new RecordingReporter();
        PretrainResult straight = PretrainProgram.Run(Request("straight"), undisturbed, CancellationToken.None);
        Assert.Equal(6, undisturbed.Metrics.Count(metric => metric.Name == "train/model_flops_utilization" && metric.Value > 0));
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
    public void A_run_of_two_sequence_lengths_goes_on_within_a_phase_to_the_same_bits()
    {
        PretrainResult straight = PretrainProgram.Run(Phased("straight"), new RecordingReporter(), CancellationToken.None);
        using var source = new CancellationTokenSource();
        var reporter = new RecordingReporter { OnProgress = done => StopAt(done, source) };
        Assert.Throws<OperationCanceledException>(() => PretrainProgram.Run(Phased("stopped"), reporter, source.Token));
        using (Checkpoint checkpoint = CheckpointReader.Open(reporter.Checkpoints[^1].Folder))
        {
            Assert.Equal((8, (6 * 16) + (2 * 8)), (checkpoint.State.Step, checkpoint.State.DataPosition));
        }

        PretrainResult resumed = PretrainProgram.Run(
            Phased("stopped") with
            {
                ResumeFrom = reporter.Checkpoints[^1].Folder,
            },
            new RecordingReporter(),
            CancellationToken.None
        );
        Assert.Equal(8, resumed.ResumedFrom);
        Assert.Equal(straight.HeldOut, resumed.HeldOut);
        Assert.Equal(File.ReadAllBytes(Output("straight", Weights)), File.ReadAllBytes(Output("stopped", Weights)));

        // Without its length, the first phase has whole sequences: that is another model.
        PretrainProgram.Run(Phased("whole", length: null), new RecordingReporter(), CancellationToken.None);
        Assert.NotEqual(File.ReadAllBytes(Output("straight", Weights)), File.ReadAllBytes(Output("whole", Weights)));

        PretrainRequest Phased(string name, int? length = 16) =>
            Request(name) with
            {
                Pretrain = Request(name).Pretrain with
                {
                    Phases =
                    [
                        new()
                        {
                            Steps = 6,
                            SequenceLength = length,
                            BatchSize = 16,
                        },
                        new()
                        {
                            Steps = 6,
                            LearningRate = 5e-4,
                            WarmupSteps = 1,
                        },
                    ],
                },
            };

        static void StopAt(long done, CancellationTokenSource source)
        {
            if (done == 8)
            {
                source.Cancel();
            }
        }
    }

    /// <summary>All of the weight on one dataset is training on it alone; shares in between give another model.</summary>
    [Fact]
    public void A_mixture_trains_on_what_its_weights_say()
    {
        string other = WriteShards("other", seed: 9);
        byte[] alone = Train("alone", Request("alone") with { ShardFolders = [other] });
        byte[] mixedIn = Train("mixed-in", Mixed("mixed-in", own: 0));
        byte[] half = Train("half", Mixed("half", own: 1));
        Assert.Equal(alone, mixedIn);
        Assert.NotEqual(alone, half);
        Assert.NotEqual(Train("own", Request("own")), half);

        PretrainRequest Mixed(string name, double own) =>
            Request(name) with
            {
                Mixture = new MixtureOptions { Weight = own, Datasets = [new MixedDataset { Path = other }] },
            };

        byte[] Train(string name, PretrainRequest request)
        {
            PretrainProgram.Run(
                request with
                {
                    Pretrain = request.Pretrain with { Steps = 4 },
                },
                new RecordingReporter(),
                CancellationToken.None
            );
            return File.ReadAllBytes(Output(name, Weights));
        }
    }

    [Theory]
    [InlineData("output", true)]
    [InlineData("output/discriminator", false)]
    public void Training_goes_on_from_a_model(string part, bool hasGenerator)
    {
        PretrainProgram.Run(Request("first"), new RecordingReporter(), CancellationToken.None);
        var reporter = new RecordingReporter();
        PretrainProgram.Run(Unmoved("second", Path.Combine(root, "first", part)), reporter, CancellationToken.None);
        Assert.Equal(File.ReadAllBytes(Output("first", Weights)), File.ReadAllBytes(Output("second", Weights)));
        bool sameGenerator = File.ReadAllBytes(Output("first", GeneratorWeights))
            .SequenceEqual(File.ReadAllBytes(Output("second", GeneratorWeights)));
        Assert.Equal(hasGenerator, sameGenerator);
        Assert.Equal(hasGenerator, !reporter.Lines.Any(line => line.Contains("start anew", StringComparison.Ordinal)));
    }

    [Fact]
    public void Training_goes_on_from_a_checkpoint_with_more_positions()
    {
        var reporter = new RecordingReporter();
        PretrainProgram.Run(Request("first"), reporter, CancellationToken.None);
        PretrainRequest second = Unmoved("second", reporter.Checkpoints[^1].Folder);
        second = second with { Model = second.Model with { MaxPositions = 600 } };
        PretrainProgram.Run(second, reporter, CancellationToken.None);
        using var scope = NewDisposeScope();
        using Checkpoint checkpoint = CheckpointReader.Open(reporter.Checkpoints.First(written => written.Step == 8).Folder);
        using SafeTensorsFile written = SafeTensorsFile.Open(Output("second", Weights));
        foreach (string name in written.Names)
        {
            Tensor before = checkpoint.Tensors.Read("parameters.discriminator." + name),
                after = written.Read(name);
            Assert.True((before == after.narrow(0, 0, before.shape[0])).all().item<bool>(), name);
        }

        PretrainRequest wider = second with { Model = second.Model with { HiddenSize = 64, AttentionHeads = 4 } };
        PermanentException refused = Assert.Throws<PermanentException>(() => PretrainProgram.Run(wider, reporter, CancellationToken.None));
        Assert.Contains("[64, 16]", refused.Message, StringComparison.Ordinal);

        string digest = CheckedFile.DigestOfFolder(second.Pretrain.InitializeFrom!, InputFolders.Anywhere);
        PretrainProgram.Run(second with { InitializeFromDigest = digest }, reporter, CancellationToken.None);
        IOException changed = Assert.Throws<IOException>(() =>
            PretrainProgram.Run(second with { InitializeFromDigest = new string('0', 64) }, reporter, CancellationToken.None)
        );
        Assert.Contains("changed while it was read", changed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_start_that_holds_nothing_of_use_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(root, "empty"));
        PretrainRequest request = Unmoved("second", Path.Combine(root, "empty"));
        Assert.Contains("config.json", Refusal(request), StringComparison.Ordinal);
        PretrainProgram.Run(Request("first"), new RecordingReporter(), CancellationToken.None);
        string[] lines = File.ReadAllLines(Output("first", "discriminator/vocab.txt"));
        File.WriteAllLines(Output("first", "discriminator/vocab.txt"), [.. lines[..^2], lines[^1], lines[^2]]);
        Assert.Contains("vocabulary", Refusal(Unmoved("second", Output("first"))), StringComparison.Ordinal);

        static string Refusal(PretrainRequest request) =>
            Assert.Throws<PermanentException>(() => PretrainProgram.Run(request, new RecordingReporter(), CancellationToken.None)).Message;
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
        PretrainRequest request = Request("long") with
        {
            Model = new ModelOptions { Preset = "tiny", MaxPositions = 8 },
        };
        PermanentException refused = Assert.Throws<PermanentException>(() =>
            PretrainProgram.Run(request, new RecordingReporter(), CancellationToken.None)
        );
        Assert.Contains("maxPositions", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>One step of learning rate 0: what comes out is what went in.</summary>
    private PretrainRequest Unmoved(string name, string from) =>
        Request(name) with
        {
            Seed = 43,
            Pretrain = Request(name).Pretrain with { Steps = 1, InitializeFrom = from },
        };

    private PretrainRequest Request(string name) =>
        new()
        {
            Model = new ModelOptions
            {
                Preset = "tiny",
                Layers = 2,
                HiddenSize = 32,
                IntermediateSize = 64,
                AttentionHeads = 2,
                EmbeddingSize = 16,
                HiddenDropout = 0.1,
            },
            Pretrain = new PretrainOptions
            {
                Steps = 12,
                BatchSize = 8,
                MicroBatchSize = 4,
                LearningRate = 1e-3,
                WarmupSteps = 3,
                CheckpointSteps = 4,
                EvaluateSteps = 6,
                LogSteps = 2,
                Device = "cpu",
                Replicas = 2,
            },
            Evaluate = new EvaluateOptions { MaxExamples = 50 },
            Seed = 42,
            ShardFolders = [Path.Combine(root, "shards")],
            VocabularyFolder = Path.Combine(root, "vocabulary"),
            OutputFolder = Output(name),
            WorkFolder = Path.Combine(root, name, "work"),
        };

    private string Output(string name, string file = "") => Path.Combine(root, name, "output", file);

    private void WriteInputs() => WriteShards("shards", seed: 8);

    /// <summary>A corpus of made-up sentences, through the same programs as in production.</summary>
    private string WriteShards(string name, ulong seed)
    {
        var random = new CounterRandom(seed, 8);
        string[] words = [.. Enumerable.Range(0, 40).Select(i => $"word{(char)('a' + (i % 26))}{(char)('a' + (i / 26))}")];
        string path = Path.Combine(root, name + ".txt");
        using (StreamWriter text = File.CreateText(path))
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
        string corpus = Path.Combine(root, name + "-corpus"),
            vocabulary = Path.Combine(root, "vocabulary");
        IngestProgram.Run(new CorpusOptions { Paths = [path], Parts = 1 }, corpus, reporter, CancellationToken.None);
        VocabularyStore.Write(vocabulary, new Vocabulary([.. SpecialTokens.All, .. words]), new TokenizerOptions());
        var examples = new ExampleOptions { SequenceLength = 32, HeldOutShare = 0.2 };
        string shards = Path.Combine(root, name);
        TokenizeProgram.Run(corpus, 0, vocabulary, examples, 42, shards, reporter, CancellationToken.None);
        return shards;
    }
}
