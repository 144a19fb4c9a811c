using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning.Tasks;

/// <summary>
/// What is particular to one kind of task: examples, head, loss and figures of merit. All else is the same for every kind.
/// </summary>
internal abstract class FinetuneTask
{
    /// <summary>Examples trained on.</summary>
    public abstract IReadOnlyList<EncodedExample> Train { get; }

    /// <summary>Examples measured on.</summary>
    public abstract IReadOnlyList<EncodedExample> Evaluation { get; }

    /// <summary>Names of classes or tags in order of their numbers; empty for scores.</summary>
    public abstract IReadOnlyList<string> Labels { get; }

    /// <summary>SHA-256 of the examples, lower-case hexadecimal.</summary>
    public abstract string Digest { get; }

    /// <summary>What stands on the encoder.</summary>
    public abstract TaskHead Head { get; }

    /// <summary>The figure that counts, one of those of <see cref="NewScore"/>.</summary>
    public abstract string Metric { get; }

    /// <summary>What a model must beat.</summary>
    public abstract FinetuneBaseline Baseline { get; }

    /// <summary>Reads the examples of a task of any kind.</summary>
    /// <exception cref="PermanentException">
    /// Files, columns or rows are missing or malformed, or the metric is none of the kind's.
    /// </exception>
    public static FinetuneTask Load(FinetuneOptions options, TaskFiles files, ulong seed, ITokenizer tokenizer)
    {
        TextEncoder encoder = new(tokenizer, options.SequenceLength);
        FinetuneTask task = options.Kind switch
        {
            "classification" => new ClassificationTask(options, TaskData.Load(options, files, seed), encoder),
            "regression" => new RegressionTask(options, TaskData.Load(options, files, seed), encoder),
            "tagging" => new TaggingTask(options, TaggingData.Load(options, files, seed), encoder),
            "answering" => new AnsweringTask(options, files, seed, tokenizer),
            _ => throw new ArgumentException($"unknown kind \"{options.Kind}\"", nameof(options)),
        };
        string[] figures = [.. task.NewScore().Figures().Keys];
        return figures.Contains(task.Metric)
            ? task
            : throw new PermanentException(
                $"finetune \"{options.Name}\": Metric is {task.Metric}; this task has {string.Join(", ", figures)}"
            );
    }

    /// <summary>The loss of a batch, summed over all its targets.</summary>
    public abstract Tensor Loss(Tensor logits, EncodedExample[] batch);

    /// <summary>Makes an empty score sheet.</summary>
    public abstract ITaskScore NewScore();

    /// <summary>The configuration of the exported model.</summary>
    public abstract HuggingFaceConfig ConfigOf(HuggingFaceConfig encoder);

    /// <summary>Changes trained parameters into those that are exported.</summary>
    public virtual void PrepareExport(ParameterStore parameters) { }

    /// <summary>The head over whole texts that the options ask for.</summary>
    protected static TaskHead HeadOf(FinetuneOptions options, int outputs) =>
        options.Head == FinetuneOptions.OfficialHead ? new OfficialSequenceHead(outputs) : new SequenceHead(outputs);
}

/// <summary>Collects answers and comes to figures of merit.</summary>
internal interface ITaskScore
{
    /// <summary>Takes the answers to a batch in.</summary>
    /// <param name="batch">The examples.</param>
    /// <param name="logits">The head's output for them, on the CPU.</param>
    void Add(EncodedExample[] batch, Tensor logits);

    /// <summary>The figures of all that was taken in, by name.</summary>
    IReadOnlyDictionary<string, double> Figures();
}
