using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning.Metrics;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>One class a text or pair.</summary>
internal sealed class ClassificationTask : FinetuneTask
{
    private readonly IReadOnlyList<ClassExample> train;
    private readonly IReadOnlyList<ClassExample> evaluation;

    /// <summary>Encodes the examples of <paramref name="data"/>.</summary>
    public ClassificationTask(FinetuneOptions options, TaskData data, TextEncoder encoder)
    {
        Dictionary<string, int> numbers = data.Labels.Index().ToDictionary(item => item.Item, item => item.Index);
        (train, evaluation) = ([.. data.Train.Select(Encode)], [.. data.Evaluation.Select(Encode)]);
        Labels = data.Labels;
        Digest = data.Digest;
        Head = HeadOf(options, Labels.Count);
        Metric = options.Metric ?? "accuracy";
        Baseline = MajorityOf(train);

        ClassExample Encode(TaskExample example)
        {
            EncodedText text = encoder.Encode(example.Text, example.Pair);
            return new ClassExample(text.Ids, text.SecondSegment, text.Truncated, numbers[example.Label]);
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Train => train;

    /// <inheritdoc/>
    public override IReadOnlyList<EncodedExample> Evaluation => evaluation;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Labels { get; }

    /// <inheritdoc/>
    public override string Digest { get; }

    /// <inheritdoc/>
    public override TaskHead Head { get; }

    /// <inheritdoc/>
    public override string Metric { get; }

    /// <inheritdoc/>
    public override FinetuneBaseline Baseline { get; }

    /// <inheritdoc/>
    public override Tensor Loss(Tensor logits, EncodedExample[] batch) =>
        nn.functional.cross_entropy(
            logits,
            tensor(Array.ConvertAll(batch, example => (long)((ClassExample)example).Label), device: logits.device),
            reduction: nn.Reduction.Sum
        );

    /// <inheritdoc/>
    public override ITaskScore NewScore() => new Score(Labels.Count);

    /// <inheritdoc/>
    public override HuggingFaceConfig ConfigOf(HuggingFaceConfig encoder) =>
        encoder.WithLabels(Labels) with
        {
            ProblemType = "single_label_classification",
        };

    private FinetuneBaseline MajorityOf(IReadOnlyList<ClassExample> examples)
    {
        int majority = examples
            .CountBy(example => example.Label)
            .OrderByDescending(item => item.Value)
            .ThenBy(item => item.Key)
            .First()
            .Key;
        Score score = new(Labels.Count);
        foreach (ClassExample example in evaluation)
        {
            score.Add(example.Label, majority);
        }

        return new FinetuneBaseline("majority", score.Figures().GetValueOrDefault(Metric));
    }

    private sealed class Score(int classes) : ITaskScore
    {
        private readonly List<int> truth = [];
        private readonly List<int> predicted = [];

        public void Add(EncodedExample[] batch, Tensor logits)
        {
            using Tensor best = logits.argmax(1);
            foreach ((EncodedExample example, long answer) in batch.Zip(best.data<long>().ToArray()))
            {
                Add(((ClassExample)example).Label, (int)answer);
            }
        }

        public void Add(int label, int answer)
        {
            truth.Add(label);
            predicted.Add(answer);
        }

        public IReadOnlyDictionary<string, double> Figures()
        {
            ConfusionMatrix matrix = new(classes, truth, predicted);
            Dictionary<string, double> figures = new()
            {
                ["accuracy"] = matrix.Accuracy,
                ["macro_f1"] = matrix.MacroF1,
                ["micro_f1"] = matrix.MicroF1,
                ["matthews"] = matrix.Matthews,
            };
            if (classes == 2)
            {
                figures["positive_f1"] = matrix.F1(1); // of the second class, as GLUE reports it
            }

            return figures;
        }
    }
}
