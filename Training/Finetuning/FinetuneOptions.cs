namespace ElectraPipeline.Training.Finetuning;

/// <summary>
/// One task the pre-trained discriminator is fine-tuned on. Defaults: the official run_finetuning.py, without its known fault.
/// </summary>
public sealed record FinetuneOptions
{
    /// <summary>The other value of <see cref="Head"/>.</summary>
    public const string OfficialHead = "official";

    /// <summary>Kinds of tasks.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["classification", "regression", "tagging", "answering"];

    /// <summary>Unique in the run; part of the stage's name in tables ("member-kind").</summary>
    public required string Name { get; init; }

    /// <summary>
    /// "classification" (one class a text or pair), "regression" (a number a text or pair), "tagging" (a tag a word, from CoNLL files),
    /// "answering" (a span of a text that answers a question, from files of SQuAD's form).
    /// </summary>
    public string Kind { get; init; } = "classification";

    /// <summary>
    /// Training data: a TSV, CSV or JSONL file relative to the config, or "dotnet-docs:member-kind"; for tagging a file of CoNLL's form, a
    /// word a line and a blank line after a sentence, for answering a file of SQuAD's form.
    /// </summary>
    public required string Train { get; init; }

    /// <summary>Evaluation data; null: a share of the training data, split by <see cref="GroupColumn"/> if given.</summary>
    public string? Evaluation { get; init; }

    /// <summary>
    /// The figure that seeds are summarized and the exported one is chosen by; null: "accuracy", "pearson", "entity_f1" or "f1" by kind.
    /// </summary>
    public string? Metric { get; init; }

    /// <summary>Train on each pair in both orders, as the official code does for MRPC and STS-B.</summary>
    public bool BothOrders { get; init; }

    /// <summary>Column or field with the text; for tagging the word's column by its place ("#0" is the first, and the default).</summary>
    public string TextColumn { get; init; } = "text";

    /// <summary>Column or field with the second text of a pair; null: single texts.</summary>
    public string? PairColumn { get; init; }

    /// <summary>Column or field with the label; for tagging the tag's column by its place, by default the last.</summary>
    public string LabelColumn { get; init; } = "label";

    /// <summary>
    /// Column or field whose values never appear on both sides of a split; null: the built-in data's own groups (the assembly), else
    /// each text is a group of its own.
    /// </summary>
    public string? GroupColumn { get; init; }

    /// <summary>Share of examples held out, in whole groups, when <see cref="Evaluation"/> is null, in (0, 1).</summary>
    public double EvaluationShare { get; init; } = 0.2;

    /// <summary>Training examples at most, chosen by seed; 0: all.</summary>
    public int MaxTrainExamples { get; init; }

    /// <summary>Evaluation examples at most, the first by hash; 0: all.</summary>
    public int MaxEvaluationExamples { get; init; }

    /// <summary>Passes over the training data.</summary>
    public double Epochs { get; init; } = 3;

    /// <summary>Sequences a step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Learning-rate factor from one layer to the one below, in (0, 1].</summary>
    public double LayerwiseDecay { get; init; } = 0.8;

    /// <summary>"official" (with its off-by-one: even the topmost layer is two steps below the head) or "fixed".</summary>
    public string LayerwiseDecayRule { get; init; } = "fixed";

    /// <summary>Share of the steps for linear warm-up.</summary>
    public double WarmupShare { get; init; } = 0.1;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Longest sequence, in tokens.</summary>
    public int SequenceLength { get; init; } = 128;

    /// <summary>Answering: tokens between the starts of the parts that a long text is cut into, at least 1.</summary>
    public int DocumentStride { get; init; } = 128;

    /// <summary>Dropout on the encoder and the head while fine-tuning; null: the model's.</summary>
    public double? Dropout { get; init; }

    /// <summary>
    /// The layers over [CLS] of classification and regression. null: Hugging Face's (dropout, dense, GELU, dropout, dense); "official":
    /// dropout and one dense layer, exported as Hugging Face's layers that give the same logits. Tagging and answering have one head each.
    /// </summary>
    public string? Head { get; init; }

    /// <summary>Seeds, one fine-tuning each; median, mean and standard deviation are reported.</summary>
    public IReadOnlyList<int> Seeds { get; init; } = [1];

    /// <summary>Steps between checkpoints of one training; each is also written when a training ends.</summary>
    public int CheckpointSteps { get; init; } = 500;

    /// <summary>Also fine-tune the same network from random weights, to see what pre-training is worth.</summary>
    public bool RandomBaseline { get; init; }

    /// <summary>Throws a <see cref="PermanentException"/> that names the first value out of range.</summary>
    internal void Validate()
    {
        Require(Kinds.Contains(Kind), nameof(Kind), Kind, string.Join(", ", Kinds.Select(kind => $"\"{kind}\"")));
        Require(!BothOrders || PairColumn is not null, nameof(BothOrders), BothOrders, "false without a PairColumn");
        Require(EvaluationShare is > 0 and < 1, nameof(EvaluationShare), EvaluationShare, "in (0, 1)");
        Require(MaxTrainExamples >= 0, nameof(MaxTrainExamples), MaxTrainExamples, "at least 0");
        Require(MaxEvaluationExamples >= 0, nameof(MaxEvaluationExamples), MaxEvaluationExamples, "at least 0");
        Require(Epochs > 0, nameof(Epochs), Epochs, "above 0");
        Require(BatchSize > 0, nameof(BatchSize), BatchSize, "at least 1");
        Require(LearningRate > 0, nameof(LearningRate), LearningRate, "above 0");
        Require(LayerwiseDecay is > 0 and <= 1, nameof(LayerwiseDecay), LayerwiseDecay, "in (0, 1]");
        Require(LayerwiseDecayRule is "official" or "fixed", nameof(LayerwiseDecayRule), LayerwiseDecayRule, "\"official\" or \"fixed\"");
        Require(WarmupShare is >= 0 and < 1, nameof(WarmupShare), WarmupShare, "in [0, 1)");
        Require(WeightDecay >= 0, nameof(WeightDecay), WeightDecay, "at least 0");
        Require(SequenceLength >= 5, nameof(SequenceLength), SequenceLength, "at least 5");
        Require(DocumentStride > 0, nameof(DocumentStride), DocumentStride, "at least 1");
        Require(Head is null or OfficialHead, nameof(Head), Head, $"left out or \"{OfficialHead}\"");
        Require(Dropout is null or (>= 0 and < 1), nameof(Dropout), Dropout, "in [0, 1)");
        bool different = Seeds.Count > 0 && Seeds.Distinct().Count() == Seeds.Count;
        Require(different, nameof(Seeds), string.Join(", ", Seeds), "one or more different numbers");
        Require(CheckpointSteps > 0, nameof(CheckpointSteps), CheckpointSteps, "at least 1");
    }

    private void Require(bool holds, string field, object? value, string expected)
    {
        if (!holds)
        {
            throw new PermanentException($"finetune \"{Name}\": {field} is {value}; it must be {expected}");
        }
    }
}
