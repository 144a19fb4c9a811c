using System.Collections.Concurrent;
using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class FinetuneProgramTests : IDisposable
{
    private static readonly string[] Words = [.. Enumerable.Range(0, 24).Select(i => $"{(char)('a' + i)}")];
    private readonly string folder = Directory.CreateTempSubdirectory("electra-finetune").FullName;

    public FinetuneProgramTests()
    {
        set_num_threads(1);
        VocabularyStore.Write(At("vocabulary"), Vocabulary, new TokenizerOptions());
        WriteModel(At("model"));
        WriteTask();
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static Vocabulary Vocabulary => new([.. SpecialTokens.All, .. Words]);

    private static FinetuneOptions Options =>
        new()
        {
            Name = "order",
            Train = "task.jsonl",
            Epochs = 6,
            BatchSize = 16,
            LearningRate = 1e-3,
            LayerwiseDecay = 1,
            SequenceLength = 16,
            Dropout = 0.1,
            Seeds = [1, 2, 3],
            RandomBaseline = true,
            CheckpointSteps = 20,
        };

    [Fact]
    public void A_task_is_learned_reported_and_exported()
    {
        Recorder recorder = new();
        FinetuneResult result = FinetuneProgram.Run(Request("out"), recorder, CancellationToken.None);

        Assert.Equal(["no", "yes"], result.Classes);
        Assert.Equal((320, 80), (result.TrainExamples, result.EvaluationExamples));
        Assert.Equal(["pretrained", "random"], result.Arms.Select(arm => arm.Arm));
        Assert.All(result.Arms, arm => Assert.Equal([1, 2, 3], arm.Trainings.Select(training => training.Seed)));
        Assert.True(result.Arms[0].Median > result.Baseline.Value + 0.2, $"{result.Arms[0].Median} against {result.Baseline}");
        double[] accuracies = [.. result.Arms[0].Trainings.Select(training => training.Figures["accuracy"]).Order()];
        Assert.Equal(accuracies[1], result.Arms[0].Median);
        Assert.Equal(accuracies.Average(), result.Arms[0].Mean, 1e-12);
        Assert.Equal(accuracies[1], result.Arms[0].Trainings.Single(training => training.Seed == result.ExportedSeed).Figures["accuracy"]);
        Assert.All(result.Arms.SelectMany(arm => arm.Trainings), training => Assert.Equal(120, training.Steps));

        FinetuneResult stored = JsonSerializer.Deserialize<FinetuneResult>(File.ReadAllBytes(At("out/results.json")), FinetuneResult.Json)!;
        Assert.Equivalent(result, stored, strict: true);
        foreach (string name in new[] { "train_loss", "accuracy", "macro_f1", "matthews", "loss" })
        {
            Assert.Equal(120, recorder.Metrics.Where(point => point.Name == $"finetune/random/seed-3/{name}").Max(point => point.Step));
        }

        double[] losses =
        [
            .. recorder
                .Metrics.Where(point => point.Name == "finetune/pretrained/seed-1/train_loss")
                .OrderBy(point => point.Step)
                .Select(point => point.Value),
        ];
        Assert.True(losses[^20..].Average() < 0.7 * losses[..20].Average(), string.Join(", ", losses));
        Assert.Equal((720L, 720L), recorder.Steps.MaxBy(step => step.Done));
    }

    [Theory]
    [InlineData("mlm")]
    [InlineData("all-tokens-mlm")]
    [InlineData("electric")]
    public void A_model_of_any_objective_is_fine_tuned(string objective)
    {
        var encoder = new EncoderConfig
        {
            Layers = 2,
            HiddenSize = 32,
            IntermediateSize = 64,
            AttentionHeads = 2,
        };
        var config = new ElectraConfig
        {
            VocabularySize = Vocabulary.Count,
            EmbeddingSize = 16,
            MaxPositions = 16,
            Parts = PretrainingObjectives.PartsOf(objective),
            Discriminator = encoder,
            Generator = encoder,
        };
        using (ElectraPretrainingModel model = new(config, CPU))
        {
            model.Initialize(3);
            var description = new ElectraDescription
            {
                Model = config,
                Pretrain = new() { Objective = objective },
                Step = 1,
                Seed = 3,
            };
            ElectraModelFolder.Write(At("other"), model, description, Vocabulary, new TokenizerOptions());
        }

        FinetuneOptions options = Options with { Epochs = 1, Seeds = [1], RandomBaseline = false };
        FinetuneResult result = FinetuneProgram.Run(
            Request("out") with
            {
                ModelFolder = At("other"),
                Options = options,
            },
            new Recorder(),
            CancellationToken.None
        );
        Assert.Equal(20, result.Arms.Single().Trainings.Single().Steps);
        Assert.InRange(result.Arms[0].Median, 0.3, 1);
    }

    [Fact]
    public void A_killed_fine_tuning_goes_on_to_the_same_bytes()
    {
        FinetuneOptions shorter = Options with { Epochs = 2.5, Seeds = [1, 2] };
        FinetuneProgram.Run(Request("straight") with { Options = shorter }, new Recorder(), CancellationToken.None);

        using CancellationTokenSource stop = new();
        Recorder first = new() { StopAt = (90, stop) };
        Assert.Throws<OperationCanceledException>(() =>
            FinetuneProgram.Run(Request("resumed") with { Options = shorter }, first, stop.Token)
        );
        Assert.False(File.Exists(At("resumed/results.json")));
        Assert.NotEmpty(first.Checkpoints);

        Recorder second = new();
        FinetuneProgram.Run(Request("resumed") with { Options = shorter, ResumeFrom = At("work-resumed") }, second, CancellationToken.None);
        Assert.Contains(second.Lines, line => line.Contains("goes on from"));
        Assert.True(second.Steps.Min(step => step.Done) >= 90);
        foreach (string name in new[] { "model.safetensors", "results.json", "config.json", "tokenizer.json", "vocab.txt" })
        {
            Assert.Equal(File.ReadAllBytes(At("straight/" + name)), File.ReadAllBytes(At("resumed/" + name)));
        }
    }

    [Fact]
    public void A_finished_fine_tuning_trains_nothing_again()
    {
        FinetuneRequest request = Request("once") with { Options = Options with { Seeds = [7], Epochs = 1, RandomBaseline = false } };
        FinetuneProgram.Run(request, new Recorder(), CancellationToken.None);
        Recorder again = new();
        FinetuneProgram.Run(request with { ResumeFrom = At("work-once"), OutputFolder = At("twice") }, again, CancellationToken.None);
        Assert.Empty(again.Metrics);
        Assert.Equal(File.ReadAllBytes(At("once/model.safetensors")), File.ReadAllBytes(At("twice/model.safetensors")));
    }

    [Fact]
    public void An_exported_classifier_read_back_gives_the_same_logits()
    {
        FinetuneRequest request = Request("export") with { Options = Options with { Seeds = [7], RandomBaseline = false } };
        FinetuneResult result = FinetuneProgram.Run(request, new Recorder(), CancellationToken.None);

        using FinetunePlan plan = FinetunePlan.Make(request);
        using HuggingFaceModel model = HuggingFaceFolder.Read(At("export"), ElectraArchitecture.SequenceClassification);
        Assert.Equal(result.Classes, model.Config.Labels);
        using TaskModel exported = new(plan.Model, new SequenceHead(result.Classes.Count), 0, CPU);
        exported.Load(model);

        // The same training, its parameters still in memory.
        using TaskTrainer trainer = new(plan, FinetuneRunner.TrainingSeed(request.Seed, new TrainingKey(TrainingKey.Pretrained, 7)));
        trainer.Model.Load(plan.Source);
        while (trainer.Step < trainer.TotalSteps)
        {
            trainer.Train();
        }

        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        EncodedExample example = plan.Task.Evaluation[0];
        EncoderInput input = EncoderInput.Create(example.Ids, [example.Ids.Length], [example.SecondSegment], CPU);
        Assert.Equal(trainer.Model.Forward(input, null).data<float>().ToArray(), exported.Forward(input, null).data<float>().ToArray());
    }

    [Theory]
    [InlineData("classification", "task.jsonl")]
    [InlineData("regression", "scores.tsv")]
    public void The_official_head_learns_too_and_answers_as_a_model_of_hugging_face(string kind, string train)
    {
        WriteScored("scores.tsv");
        FinetuneOptions options = Options with
        {
            Kind = kind,
            Train = train,
            Head = FinetuneOptions.OfficialHead,
            Seeds = [1],
            RandomBaseline = false,
            Epochs = 8,
            BatchSize = 16,
        };
        FinetuneRequest request = Request("official") with { Options = options };
        FinetuneResult result = FinetuneProgram.Run(request, new Recorder(), CancellationToken.None);
        Assert.True(result.Arms[0].Median > result.Baseline.Value + 0.2, $"{result.Arms[0].Median} against {result.Baseline}");

        using FinetunePlan plan = FinetunePlan.Make(request);
        using HuggingFaceModel model = HuggingFaceFolder.Read(At("official"), ElectraArchitecture.SequenceClassification);
        using TaskModel exported = new(plan.Model, new SequenceHead(model.Config.Labels.Count), 0, CPU);
        exported.Load(model);
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        ITaskScore score = plan.Task.NewScore();
        double scale = kind == "regression" ? plan.Task.Train.Max(example => Math.Abs(((ScoreExample)example).Score)) : 1;
        foreach (EncodedExample example in plan.Task.Evaluation)
        {
            EncoderInput input = EncoderInput.Create(example.Ids, [example.Ids.Length], [example.SecondSegment], CPU);
            score.Add([example], exported.Forward(input, null) / scale);
        }

        Assert.Equal(result.Arms[0].Trainings[0].Figures[result.Metric], score.Figures()[result.Metric], 1e-4);
    }

    [Fact]
    public void Tags_of_words_are_learned_and_exported()
    {
        WriteTagged("tags.txt");
        FinetuneOptions options = Options with { Kind = "tagging", Train = "tags.txt", Seeds = [1], RandomBaseline = false };
        FinetuneResult result = FinetuneProgram.Run(Request("tagged") with { Options = options }, new Recorder(), CancellationToken.None);
        Assert.Equal(("entity_f1", "tagging"), (result.Metric, result.Kind));
        Assert.Equal(["B-X", "I-X", "O"], result.Classes);
        Assert.True(result.Arms[0].Median > result.Baseline.Value + 0.1, $"{result.Arms[0].Median} against {result.Baseline}");
        using HuggingFaceModel model = HuggingFaceFolder.Read(At("tagged"), ElectraArchitecture.TokenClassification);
        Assert.Equal(result.Classes, model.Config.Labels);
        Assert.Equal([3L, 32L], model.Tensors["classifier.weight"].shape);
    }

    [Fact]
    public void Answers_in_texts_are_learned_and_exported()
    {
        WriteQuestions("questions.json");
        FinetuneOptions options = Options with { Kind = "answering", Train = "questions.json", Seeds = [1], RandomBaseline = false };
        FinetuneResult result = FinetuneProgram.Run(
            Request("answering") with
            {
                Options = options,
            },
            new Recorder(),
            CancellationToken.None
        );
        Assert.Equal(("f1", 0.0), (result.Metric, result.Baseline.Value));
        Assert.True(result.Arms[0].Median > 0.6, $"{result.Arms[0].Median}"); // one word of ten, guessed: 0.1
        using HuggingFaceModel model = HuggingFaceFolder.Read(At("answering"), ElectraArchitecture.QuestionAnswering);
        Assert.Equal([2L, 32L], model.Tensors["qa_outputs.weight"].shape);
    }

    [Fact]
    public void Scores_are_learned_and_exported_in_their_own_units()
    {
        WriteScored("scores.tsv");
        FinetuneOptions options = Options with
        {
            Kind = "regression",
            Train = "scores.tsv",
            Seeds = [1],
            RandomBaseline = false,
            Epochs = 8,
        };
        FinetuneRequest request = Request("scored") with { Options = options };
        FinetuneResult result = FinetuneProgram.Run(request, new Recorder(), CancellationToken.None);
        Assert.Equal(("pearson", 0.0), (result.Metric, result.Baseline.Value));
        Assert.True(result.Arms[0].Median > 0.5, $"{result.Arms[0].Median}");

        using HuggingFaceModel model = HuggingFaceFolder.Read(At("scored"), ElectraArchitecture.SequenceClassification);
        Assert.Equal(("regression", 1), (model.Config.ProblemType, model.Config.Labels.Count));
        using FinetunePlan plan = FinetunePlan.Make(request);
        using TaskModel exported = new(plan.Model, plan.Task.Head, 0, CPU);
        exported.Load(model);
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        double mean = plan.Task.Evaluation.Average(example =>
            exported.Forward(EncoderInput.Create(example.Ids, [example.Ids.Length], [example.SecondSegment], CPU), null).item<float>()
        );
        Assert.InRange(mean, plan.Task.Evaluation.Average(example => ((ScoreExample)example).Score) * 0.5, 300);
    }

    [Fact]
    public void Inputs_that_do_not_fit_are_refused_by_name()
    {
        VocabularyStore.Write(At("other"), new Vocabulary([.. SpecialTokens.All, .. Words.Reverse()]), new TokenizerOptions());
        Assert.Contains("the model was trained with", Fault(Request("x") with { VocabularyFolder = At("other") }));
        Assert.Contains(
            "SequenceLength is 64, the model takes 16",
            Fault(Request("x") with { Options = Options with { SequenceLength = 64 } })
        );
        Assert.Contains("Seeds is 1, 1", Fault(Request("x") with { Options = Options with { Seeds = [1, 1] } }));
        Assert.Contains("Head is wide", Fault(Request("x") with { Options = Options with { Head = "wide" } }));
        Assert.Contains("Kind is parsing", Fault(Request("x") with { Options = Options with { Kind = "parsing" } }));
        Assert.Contains("Metric is f9; this task has accuracy", Fault(Request("x") with { Options = Options with { Metric = "f9" } }));
        Assert.Contains("\"yes\" is no number", Fault(Request("x") with { Options = Options with { Kind = "regression" } }));
        Assert.Contains("diverged at step", Fault(Request("x") with { Options = Options with { LearningRate = 1e30, Seeds = [1] } }));

        FinetuneRequest request = Request("x") with { Options = Options with { Seeds = [7], Epochs = 1, RandomBaseline = false } };
        FinetuneProgram.Run(request, new Recorder(), CancellationToken.None);
        Assert.Contains("start again without it", Fault(request with { Seed = 8, ResumeFrom = At("work-x") }));
        Assert.Contains(
            "start again without it",
            Fault(request with { Options = request.Options with { LearningRate = 2e-3 }, ResumeFrom = At("work-x") })
        );
    }

    private string At(string path) => Path.Combine(folder, path);

    private string Fault(FinetuneRequest request) =>
        Assert.Throws<PermanentException>(() => FinetuneProgram.Run(request, new Recorder(), CancellationToken.None)).Message;

    private FinetuneRequest Request(string output) =>
        new()
        {
            ModelFolder = At("model"),
            VocabularyFolder = At("vocabulary"),
            Options = Options,
            ConfigFolder = folder,
            OutputFolder = At(output),
            WorkFolder = At("work-" + output),
            Device = "cpu",
            Seed = 42,
        };

    /// <summary>A discriminator with drawn weights, as pre-training exports one.</summary>
    private static void WriteModel(string path)
    {
        using var scope = NewDisposeScope();
        EncoderConfig encoder = new()
        {
            Layers = 2,
            HiddenSize = 32,
            IntermediateSize = 64,
            AttentionHeads = 2,
        };
        ElectraConfig config = new()
        {
            VocabularySize = Vocabulary.Count,
            EmbeddingSize = 16,
            MaxPositions = 16,
            Discriminator = encoder,
            Generator = encoder,
            Initialization = "scaled",
        };
        using ElectraPretrainingModel model = new(config, CPU);
        model.Initialize(3);
        HuggingFaceConfig exported = new()
        {
            VocabSize = config.VocabularySize,
            EmbeddingSize = 16,
            HiddenSize = 32,
            NumHiddenLayers = 2,
            NumAttentionHeads = 2,
            IntermediateSize = 64,
            MaxPositionEmbeddings = 16,
        };
        string discriminator = Path.Combine(path, "discriminator");
        HuggingFaceFolder.WriteDiscriminator(discriminator, exported, model.State(model.DetectionNames()));
        HuggingFaceFolder.WriteTokenizer(discriminator, Vocabulary, new TokenizerOptions(), maxLength: 16);
    }

    /// <summary>400 texts of random letters; the answer is whether an 'a' or a 'b' is among them.</summary>
    private void WriteTask()
    {
        CounterRandom random = new(11, 0);
        List<string> lines = [];
        for (int i = 0; i < 400; i++)
        {
            string[] letters = new string[4 + random.Next(8)];
            for (int j = 0; j < letters.Length; j++)
            {
                letters[j] = Words[2 + random.Next(Words.Length - 2)];
            }

            if (i % 2 == 0)
            {
                letters[random.Next(letters.Length)] = Words[random.Next(2)];
            }

            lines.Add(JsonSerializer.Serialize(new { text = string.Join(' ', letters), label = i % 2 == 0 ? "yes" : "no" }));
        }

        File.WriteAllLines(At("task.jsonl"), lines);
    }

    /// <summary>Sentences in which a letter after an 'a' is a chunk's second word, so that no letter says its tag alone.</summary>
    private void WriteTagged(string name)
    {
        CounterRandom random = new(12, 0);
        List<string> lines = [];
        for (int i = 0; i < 400; i++)
        {
            bool follows = false;
            for (int words = 4 + random.Next(8); words > 0; words--)
            {
                string word = Words[random.Next(3) == 0 ? 0 : random.Next(Words.Length)];
                string tag =
                    follows && word != "a" ? "I-X"
                    : word == "a" ? "B-X"
                    : "O";
                lines.Add($"{word} {tag}");
                follows = word == "a";
            }

            lines.Add("");
        }

        File.WriteAllLines(At(name), lines);
    }

    /// <summary>
    /// Texts of ten letters, and the question where the only 'b' is (an 'a' would be an article); longer than a part, so that they are cut.
    /// </summary>
    private void WriteQuestions(string name)
    {
        CounterRandom random = new(14, 0);
        List<object> paragraphs = [];
        for (int i = 0; i < 300; i++)
        {
            int place = random.Next(10);
            string[] letters = new string[10];
            for (int j = 0; j < letters.Length; j++)
            {
                letters[j] = j == place ? "b" : Words[2 + random.Next(Words.Length - 2)];
            }

            object answer = new { text = "b", answer_start = 2 * place };
            paragraphs.Add(
                new { context = string.Join(' ', letters), qas = new[] { new { question = "c d e f", answers = new[] { answer } } } }
            );
        }

        File.WriteAllText(At(name), JsonSerializer.Serialize(new { data = new[] { new { paragraphs } } }));
    }

    /// <summary>Texts whose score is a hundred times the number of 'a's in them.</summary>
    private void WriteScored(string name)
    {
        CounterRandom random = new(13, 0);
        List<string> lines = ["text\tlabel"];
        for (int i = 0; i < 400; i++)
        {
            int count = random.Next(5);
            IEnumerable<string> letters = Enumerable
                .Range(0, 8)
                .Select(place => place < count ? "a" : Words[2 + random.Next(Words.Length - 2)]);
            lines.Add($"{string.Join(' ', letters)}\t{100 * count}");
        }

        File.WriteAllLines(At(name), lines);
    }

    private sealed class Recorder : IStageReporter
    {
        public ConcurrentBag<(string Name, long Step, double Value)> Metrics { get; } = [];

        public ConcurrentBag<(long Done, long Total)> Steps { get; } = [];

        public ConcurrentBag<string> Lines { get; } = [];

        public ConcurrentBag<string> Checkpoints { get; } = [];

        public (long Done, CancellationTokenSource Stop)? StopAt { get; init; }

        public void Progress(long done, long total, string unit)
        {
            Steps.Add((done, total));
            if (StopAt is { } stop && done >= stop.Done)
            {
                stop.Stop.Cancel();
            }
        }

        public void Metric(string name, long step, double value) => Metrics.Add((name, step, value));

        public void Log(string message) => Lines.Add(message);

        public void Checkpoint(long step, string folder) => Checkpoints.Add(folder);
    }
}
