using System.IO.Compression;
using System.Text.Json;
using ElectraPipeline.TestSupport;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Tests.Finetuning;

public sealed class AnsweringTests
{
    [Fact]
    public void Answers_are_normalized_as_the_official_script_does()
    {
        string[] lines = File.ReadAllLines(SharedData.Require("data/squad/golden/normalize.jsonl"));
        Assert.True(lines.Length > 200);
        foreach (string line in lines)
        {
            using JsonDocument pair = JsonDocument.Parse(line);
            string text = pair.RootElement.GetProperty("in").GetString()!;
            Assert.True(pair.RootElement.GetProperty("out").GetString() == string.Join(' ', AnswerText.WordsOf(text)), line);
        }
    }

    [Theory]
    [InlineData("xquad/xquad.en.json.gz", "predictions-v1.1/bert_ensemble.xquad-en.json", "v1.1")]
    [InlineData("xquad/xquad.en.json.gz", "predictions-v1.1/logistic_regression.xquad-en.json", "v1.1")]
    [InlineData("xquad/xquad.en.json.gz", "golden/pred_v1_missing.json", "v1.1")]
    [InlineData("xquad/xquad.en.json.gz", "golden/pred_v1_perturbed.json", "v1.1")]
    [InlineData("xquad/xquad.de.json.gz", "golden/pred_v1_xquad_de.json", "v1.1")]
    [InlineData("xquad/xquad.zh.json.gz", "golden/pred_v1_xquad_zh.json", "v1.1")]
    [InlineData("squad2-devhalf/dev-v2.0.cs224n.json.gz", "squad2-devhalf/predictions.bert.json", "v2.0")]
    public void Scores_are_the_official_scripts(string dataset, string predictions, string version)
    {
        using JsonDocument answers = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("data/squad/" + predictions)));
        using GZipStream gzip = new(File.OpenRead(SharedData.Require("data/squad/" + dataset)), CompressionMode.Decompress);
        using JsonDocument questions = JsonDocument.Parse(gzip);
        AnswerScores scores = new(mayLackAnswer: version == "v2.0");
        foreach (
            JsonElement question in questions
                .RootElement.GetProperty("data")
                .EnumerateArray()
                .SelectMany(article => article.GetProperty("paragraphs").EnumerateArray())
                .SelectMany(paragraph => paragraph.GetProperty("qas").EnumerateArray())
        )
        {
            string? answer = answers.RootElement.TryGetProperty(question.GetProperty("id").GetString()!, out JsonElement given)
                ? given.GetString()
                : null;
            scores.Add([.. question.GetProperty("answers").EnumerateArray().Select(item => item.GetProperty("text").GetString()!)], answer);
        }

        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(SharedData.Require("data/squad/golden/expected.json")));
        JsonElement expected = golden
            .RootElement.EnumerateObject()
            .First(item => item.Name.StartsWith($"{version} | {dataset} | {predictions}", StringComparison.Ordinal))
            .Value;
        Assert.Equal(expected.GetProperty(version == "v1.1" ? "exact_match" : "exact").GetDouble(), 100 * scores.ExactMatch, 1e-9);
        Assert.Equal(expected.GetProperty("f1").GetDouble(), 100 * scores.F1, 1e-9);
    }

    [Theory]
    [InlineData("xquad/xquad.en.json.gz", 1_190, 0)]
    [InlineData("xquad/xquad.zh.json.gz", 1_190, 0)]
    [InlineData("squad2-devhalf/dev-v2.0.cs224n.json.gz", 6_078, 3_168)]
    [InlineData("arcd/arcd-test.json.gz", 702, 0)]
    public void Real_files_are_read_and_answers_stand_in_their_windows(string dataset, int count, int unanswerable)
    {
        IReadOnlyList<SpanQuestion> questions = SquadFile.Read(SharedData.Require("data/squad/" + dataset));
        Assert.Equal((count, unanswerable), (questions.Count, questions.Count(question => question.Answers.Count == 0)));
        ContextWindows windows = new(
            new WordPieceTokenizer(Multilingual(), new TokenizerOptions { LowerCase = false }),
            maxLength: 128,
            stride: 40
        );
        foreach (SpanQuestion question in questions.Take(60).Where(question => question.Answers is [{ Start: >= 0 }, ..]))
        {
            WindowExample[] parts = [.. windows.Of(question, 0)];
            Assert.All(parts, part => Assert.InRange(part.Ids.Length, 3, 128));
            WindowExample? holding = Array.Find(parts, part => part.Start > 0);
            Assert.NotNull(holding);
            int start = holding.Pieces[holding.Start - holding.SecondSegment].Start,
                end = holding.Pieces[holding.End - holding.SecondSegment].End;
            Assert.Contains(question.Answers[0].Text.Trim(), question.Context[start..end]);

            // Every token can start an answer in some part.
            HashSet<(int, int)> all = [.. parts.SelectMany(part => part.Pieces)];
            HashSet<(int, int)> widest =
            [
                .. parts.SelectMany(part => part.Pieces.Zip(part.Widest)).Where(item => item.Second).Select(item => item.First),
            ];
            Assert.Equal(all, widest);
        }
    }

    [Fact]
    public void The_best_allowed_span_is_chosen()
    {
        WindowExample window = new([1, 9, 2, 5, 6, 7, 2], 3, 0, 0, 0, [(0, 3), (4, 7), (8, 11)], [true, true, false]);
        float[] logits = [0, 0, 9, 9, 9, 9, 1, 0, 3, 1, 8, 4, 9, 9];
        SpanChoice choice = SpanChoice.Of(window, logits);
        // not from the token that another part shows better
        Assert.Equal((4, 11, 7f, 0f), (choice.Start, choice.End, choice.Score, choice.NoAnswer));
        Assert.Equal("two six", choice.AnswerIn("one two six", mayLackAnswer: true));
        Assert.Equal("", (choice with { NoAnswer = 8 }).AnswerIn("one two six", mayLackAnswer: true));
        Assert.Equal("two six", (choice with { NoAnswer = 8 }).AnswerIn("one two six", mayLackAnswer: false));
        Assert.Equal(choice with { NoAnswer = -2 }, choice.Join(choice with { Score = 1, NoAnswer = -2 }));
    }

    [Fact]
    public void Padding_changes_no_loss()
    {
        set_num_threads(1);
        using TemporaryFolder folder = new();
        using var scope = NewDisposeScope();
        folder.Write(
            "train.json",
            """
            {"data": [{"paragraphs": [{"context": "a b c", "qas": [{"question": "a", "answers": [{"text": "b", "answer_start": 2}]}]},
                                      {"context": "c b a", "qas": [{"question": "c", "answers": []}]}]}]}
            """
        );
        Vocabulary vocabulary = new([.. SpecialTokens.All, "a", "b", "c"]);
        FinetuneOptions options = new()
        {
            Name = "answers",
            Train = "train.json",
            Evaluation = "train.json",
            Kind = "answering",
            SequenceLength = 16,
        };
        FinetuneTask task = FinetuneTask.Load(options, new(folder.Path), 1, new WordPieceTokenizer(vocabulary, new TokenizerOptions()));
        Assert.Equal((2, 0.5), (task.Train.Count, task.Baseline.Value));
        Assert.Equal([(4, 4), (0, 0)], task.Train.Cast<WindowExample>().Select(window => (window.Start, window.End)));
        EncodedExample[] batch = [.. task.Train];
        Tensor logits = randn(2, 7, 2),
            padded = cat([logits, full([2, 3, 2], 50f)], 1);
        Assert.Equal(task.Loss(logits, batch).item<float>(), task.Loss(padded, batch).item<float>(), 1e-4f);
    }

    private static Vocabulary Multilingual()
    {
        using StreamReader reader = new(
            new GZipStream(
                File.OpenRead(SharedData.Require("data/vocab/bert-base-multilingual-cased/vocab.txt.gz")),
                CompressionMode.Decompress
            )
        );
        return new Vocabulary(reader.ReadToEnd().TrimEnd('\n').Split('\n'));
    }
}
