using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Objective;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Scoring;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tests.Pretraining;
using ElectraPipeline.Training.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Scoring;

public sealed class TextScorerTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("electra-score-").FullName;

    public TextScorerTests() => set_num_threads(1);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("electric", "")]
    [InlineData("mlm", "encoder")]
    [InlineData("electra", "")]
    public void Text_of_frequent_words_is_more_likely_than_with_a_rare_one(string objective, string part)
    {
        Train(objective, steps: 300);
        using TextScorer scorer = TextScorer.Open(Path.Combine(folder, part), "cpu");
        string[] frequent = [.. Enumerable.Range(0, 20).Select(i => Text(i % 5, length: 9))];
        string[] mixed =
        [
            .. frequent.Select((text, i) => string.Join(' ', text.Split(' ').Select((word, k) => k == 4 ? $"w{i + 5}" : word))),
        ];
        double[] good = [.. scorer.Score(frequent).Select(score => score.Score)],
            bad = [.. scorer.Score(mixed).Select(score => score.Score)];
        Assert.InRange(good.Zip(bad).Count(pair => pair.First > pair.Second), 16, 20);
    }

    [Theory]
    [InlineData("electric")]
    [InlineData("mlm")]
    public void A_score_does_not_depend_on_company_and_counts_every_token(string objective)
    {
        Train(objective, steps: 3);
        using TextScorer scorer = TextScorer.Open(folder, "cpu");
        string[] texts = [Text(1, 3), "w2 w4 " + Text(3, 10), Text(3, 7), "", Text(4, 40)];
        IReadOnlyList<TextScore> together = scorer.Score(texts);
        Assert.Equal([3, 12, 7, 0, 30], together.Select(score => score.Tokens)); // 32 positions
        Assert.Equal([false, false, false, false, true], together.Select(score => score.Truncated));
        Assert.Equal(texts, together.Select(score => score.Text));
        Assert.Equal(0, together[3].Score);
        Assert.All(together, score => Assert.Equal(score.Score, scorer.Score([score.Text]).Single().Score, 1e-4));
    }

    [Fact]
    public void A_masked_language_models_score_is_the_sum_of_its_guesses()
    {
        Train("mlm", steps: 3);
        using TextScorer scorer = TextScorer.Open(folder, "cpu");
        double score = scorer.Score(["w3 w14 w15"]).Single().Score;
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using ElectraPretrainingModel model = ElectraModelReader.Read(folder, CPU);
        double expected = 0;
        for (int i = 1; i <= 3; i++)
        {
            int[] ids = [TinyPretraining.Ids.Classifier, 8, 19, 20, TinyPretraining.Ids.Separator]; // five special tokens come first
            int token = ids[i];
            ids[i] = TinyPretraining.Ids.Mask;
            Tensor hidden = model.Main.Forward(EncoderInput.Create(ids, [5], [5], CPU), dropout: null);
            Tensor logits = model.LanguageModelHead.Decode(model.LanguageModelHead.Transform(hidden));
            expected += nn.functional.log_softmax(logits, -1)[i, token].item<float>();
        }

        Assert.Equal(expected, score, 1e-4);
    }

    [Fact]
    public void A_lone_discriminator_gives_no_likelihoods()
    {
        Train("electra", steps: 1);
        PermanentException refused = Assert.Throws<PermanentException>(() => TextScorer.Open(Path.Combine(folder, "discriminator"), "cpu"));
        Assert.Contains("generator", refused.Message, StringComparison.Ordinal);
    }

    private void Train(string objective, int steps)
    {
        PretrainOptions options = TinyPretraining.Options() with
        {
            Objective = objective,
            Steps = 400,
            LearningRate = 5e-3,
            WarmupSteps = 20,
            MicroBatchSize = 8,
            DiscriminatorWeight = 10,
        };
        ElectraConfig config = TinyPretraining.Config(initialization: "scaled", parts: PretrainingObjectives.PartsOf(objective));
        using Pretrainer trainer = TinyPretraining.Trainer(options, config);
        for (int step = 0; step < steps; step++)
        {
            trainer.Train(Batch(step));
        }

        var vocabulary = new Vocabulary([
            .. SpecialTokens.All,
            .. Enumerable.Range(0, TinyPretraining.Vocabulary - SpecialTokens.All.Count).Select(i => $"w{i}"),
        ]);
        var description = new ElectraDescription
        {
            Model = config,
            Pretrain = options,
            Step = steps,
            Seed = 7,
        };
        ElectraModelFolder.Write(folder, trainer.Model, description, vocabulary, new TokenizerOptions());
    }

    /// <summary>Texts of five frequent words and forty rare ones: how frequent a word is, a model of this size learns at once.</summary>
    private static ExampleBatch Batch(long step)
    {
        ExampleBatch batch = TinyPretraining.Batch(step);
        for (int b = 0; b < batch.BatchSize; b++)
        {
            var random = new CounterRandom(8, (ulong)step, (ulong)b);
            Span<int> example = batch.InputIds.AsSpan(b * batch.SequenceLength, batch.Lengths[b]);
            foreach (ref int token in example[1..^1])
            {
                token = random.NextDouble() < 0.8 ? 5 + random.Next(5) : 10 + random.Next(40);
            }
        }

        return batch;
    }

    private static string Text(int word, int length) => string.Join(' ', Enumerable.Repeat($"w{word}", length));
}
