using System.Globalization;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>
/// A number a text or pair, by squared error. It is trained on scores scaled to [-1, 1], as the official code divides STS-B's by 5; the
/// exported model answers in the data's units.
/// </summary>
internal sealed class RegressionTask : FinetuneTask
{
    private readonly IReadOnlyList<ScoreExample> train;
    private readonly IReadOnlyList<ScoreExample> evaluation;
    private readonly double scale;

    /// <summary>Encodes the examples of <paramref name="data"/>.</summary>
    /// <exception cref="PermanentException">A label is no number, or all are zero.</exception>
    public RegressionTask(FinetuneOptions options, TaskData data, TextEncoder encoder)
    {
        (train, evaluation) = ([.. data.Train.Select(Encode)], [.. data.Evaluation.Select(Encode)]);
        Digest = data.Digest;
        Head = HeadOf(options, outputs: 1);
        Metric = options.Metric ?? "pearson";
        scale = train.Max(example => Math.Abs(example.Score));
        if (scale == 0)
        {
            throw new PermanentException($"{options.Train}: every score is 0; there is nothing to learn");
        }

        ScoreExample Encode(TaskExample example)
        {
            EncodedText text = encoder.Encode(example.Text, example.Pair);
            return
                double.TryParse(example.Label, NumberStyles.Float, CultureInfo.InvariantCulture, out double score) && double.IsFinite(score)
                ? new ScoreExample(text.Ids, text.SecondSegment, text.Truncated, score)
                : throw new PermanentException(
                    $"finetune \"{options.Name}\": the label \"{example.Label}\" is no number, as regression needs"
                );
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Train => train;

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Evaluation => evaluation;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Labels => [];

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    public override TaskHead Head { get; }

    /// <inheritdoc/>
    public override string Metric { get; }

    /// <summary>The mean of the training scores for every example; its correlation with anything is 0 by convention.</summary>
    public override FinetuneBaseline Baseline
    {
        get
        {
            double mean = train.Average(example => example.Score);
            Score score = new(scale);
            foreach (ScoreExample example in evaluation)
            {
                score.Add(example.Score, mean);
            }

            return new FinetuneBaseline("the mean", score.Figures()[Metric]);
        }
    }

    /// <inheritdoc/>
    public override Tensor Loss(Tensor logits, EncodedExample[] batch)
    {
        Tensor scores = tensor(Array.ConvertAll(batch, example => (float)(((ScoreExample)example).Score / scale)), device: logits.device);
        return nn.functional.mse_loss(logits.squeeze(1), scores, nn.Reduction.Sum);
    }

    /// <inheritdoc/>
    public override ITaskScore NewScore() => new Score(scale);

    /// <inheritdoc/>
    public override HuggingFaceConfig ConfigOf(HuggingFaceConfig encoder) =>
        encoder.WithLabels(["score"]) with
        {
            ProblemType = "regression",
        };

    /// <inheritdoc/>
    public override void PrepareExport(ParameterStore parameters)
    {
        using var scope = NewDisposeScope();
        parameters.Value(Head.OutputName + ".weight").TimesInPlace(scale);
        parameters.Value(Head.OutputName + ".bias").TimesInPlace(scale);
    }

    private sealed class Score(double scale) : ITaskScore
    {
        private readonly List<double> truth = [];
        private readonly List<double> predicted = [];

        public void Add(EncodedExample[] batch, Tensor logits)
        {
            foreach ((EncodedExample example, float answer) in batch.Zip(logits.data<float>().ToArray()))
            {
                Add(((ScoreExample)example).Score, answer * scale);
            }
        }

        public void Add(double score, double answer)
        {
            truth.Add(score);
            predicted.Add(answer);
        }

        public IReadOnlyDictionary<string, double> Figures() =>
            new Dictionary<string, double>
            {
                ["pearson"] = Correlation.Pearson(truth, predicted),
                ["spearman"] = Correlation.Spearman(truth, predicted),
            };
    }
}
