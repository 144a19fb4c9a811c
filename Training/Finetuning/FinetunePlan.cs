using System.Text.Json;
using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Finetuning.Tasks;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Tokenization;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>Everything that the trainings of one task share: resolved sizes, examples as token ids, and where they came from.</summary>
internal sealed class FinetunePlan : IDisposable
{
    private FinetunePlan(FinetuneRequest request)
    {
        request.Options.Validate();
        Options = request.Options;
        Device = TorchDevice.Resolve(request.Device);
        string mainFolder = ElectraModelFolder.MainFolderOf(request.ModelFolder);
        (Vocabulary, Tokenizer) = request.VocabularyFolder is { } vocabulary
            ? VocabularyStore.Read(vocabulary)
            : HuggingFaceFolder.ReadTokenizer(mainFolder);
        CheckVocabulary(mainFolder);
        Task = FinetuneTask.Load(
            Options,
            new TaskFiles(request.ConfigFolder, request.Digests),
            request.Seed,
            new WordPieceTokenizer(Vocabulary, Tokenizer)
        );
        Source = HuggingFaceFolder.ReadEncoder(mainFolder);
        Model = Resolve(Source.Config, request.ModelFolder);
        HeadDropout = Options.Dropout ?? Source.Config.ClassifierDropout ?? Source.Config.HiddenDropoutProb;
        int stepsPerEpoch = (Task.Train.Count + Options.BatchSize - 1) / Options.BatchSize;
        StepsPerTraining = Math.Max(1, (int)Math.Ceiling(Options.Epochs * stepsPerEpoch));
        Fingerprint = JsonSerializer.SerializeToElement(
            new
            {
                options = Options with
                {
                    CheckpointSteps = 1,
                }, // how often a checkpoint is written may change between attempts
                data = Task.Digest,
                vocabulary = Vocabulary.Digest,
                model = string.Join(' ', Source.Files.Select(CheckpointWriter.Digest)),
            }
        );
    }

    /// <summary>The options, checked.</summary>
    public FinetuneOptions Options { get; }

    /// <summary>Where it computes.</summary>
    public Device Device { get; }

    /// <summary>The tokens.</summary>
    public Vocabulary Vocabulary { get; }

    /// <summary>How text becomes words.</summary>
    public TokenizerOptions Tokenizer { get; }

    /// <summary>The task with its examples.</summary>
    public FinetuneTask Task { get; }

    /// <summary>The pre-trained encoder.</summary>
    public HuggingFaceModel Source { get; }

    /// <summary>Its sizes, with this task's dropout.</summary>
    public ElectraConfig Model { get; }

    /// <summary>Dropout in the head.</summary>
    public double HeadDropout { get; }

    /// <summary>Optimizer steps of each training.</summary>
    public int StepsPerTraining { get; }

    /// <summary>Whatever changes results; a checkpoint goes on only where it is the same.</summary>
    public JsonElement Fingerprint { get; }

    /// <summary>Reads and checks all inputs.</summary>
    /// <exception cref="PermanentException">
    /// An option is out of range, or an input is missing, malformed or does not fit the others.
    /// </exception>
    public static FinetunePlan Make(FinetuneRequest request) => new(request);

    /// <inheritdoc/>
    public void Dispose() => Source.Dispose();

    private void CheckVocabulary(string folder)
    {
        string path = Path.Combine(folder, VocabularyStore.VocabularyName);
        if (File.Exists(path) && Vocabulary.Load(path) is var own && own.Digest != Vocabulary.Digest)
        {
            throw new PermanentException(
                $"finetune \"{Options.Name}\": the vocabulary has SHA-256 {Vocabulary.Digest}, the model was trained with "
                    + $"{own.Digest} ({path})"
            );
        }
    }

    private ElectraConfig Resolve(HuggingFaceConfig source, string modelFolder)
    {
        if (source.VocabSize != Vocabulary.Count)
        {
            throw new PermanentException(
                $"finetune \"{Options.Name}\": the model has {source.VocabSize} tokens, the vocabulary {Vocabulary.Count}; use the "
                    + "one it was trained with"
            );
        }

        if (Options.SequenceLength > source.MaxPositionEmbeddings)
        {
            throw new PermanentException(
                $"finetune \"{Options.Name}\": SequenceLength is {Options.SequenceLength}, the model takes "
                    + $"{source.MaxPositionEmbeddings} tokens at most"
            );
        }

        if (Task.Head.SmallestHidden > source.Encoder.HiddenSize)
        {
            throw new PermanentException(
                $"finetune \"{Options.Name}\": Head is {Options.Head}, which is exported for encoders of width {Task.Head.SmallestHidden} "
                    + $"and above (two units an answer); the model has {source.Encoder.HiddenSize}; leave Head out"
            );
        }

        bool described = File.Exists(Path.Combine(modelFolder, ElectraModelFolder.DescriptionName));
        return TaskModel.ConfigOf(source) with
        {
            HiddenDropout = Options.Dropout ?? source.HiddenDropoutProb,
            AttentionDropout = Options.Dropout ?? source.AttentionProbsDropoutProb,
            Initialization = described ? ElectraModelFolder.ReadDescription(modelFolder).Model.Initialization : "normal",
        };
    }
}
