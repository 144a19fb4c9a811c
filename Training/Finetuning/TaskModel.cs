using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>A pre-trained encoder with a task's head.</summary>
/// <remarks>Parameters have the names of Hugging Face's class of the head. One instance serves one thread.</remarks>
internal sealed class TaskModel : IDisposable
{
    private const string EncoderPrefix = "electra";
    private const string EmbeddingsPrefix = "electra.embeddings";
    private readonly ElectraConfig config;
    private readonly TaskHead head;
    private readonly double headDropout;
    private readonly ElectraEncoder encoder;

    /// <summary>Makes one with every parameter zero; initialize or load it.</summary>
    /// <param name="config">Sizes; the main encoder is used.</param>
    /// <param name="head">What stands on it.</param>
    /// <param name="headDropout">Dropout in the head.</param>
    /// <param name="device">Where it computes.</param>
    public TaskModel(ElectraConfig config, TaskHead head, double headDropout, Device device)
    {
        this.config = config;
        this.head = head;
        this.headDropout = headDropout;
        Parameters = new ParameterStore(Describe(config, head), device);
        Embeddings embeddings = new(Parameters, EmbeddingsPrefix, config);
        encoder = new ElectraEncoder(Parameters, EncoderPrefix, embeddings, config.Discriminator, config);
    }

    /// <summary>Parameters and gradients.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>The sizes of a Hugging Face folder's encoder, without dropout.</summary>
    public static ElectraConfig ConfigOf(HuggingFaceConfig source) =>
        new()
        {
            VocabularySize = source.VocabSize,
            EmbeddingSize = source.EmbeddingSize,
            MaxPositions = source.MaxPositionEmbeddings,
            TypeVocabularySize = source.TypeVocabSize,
            Discriminator = source.Encoder,
            Generator = source.Encoder, // a task's model has none
            HiddenDropout = 0,
            AttentionDropout = 0,
            InitializerRange = source.InitializerRange,
            LayerNormEpsilon = source.LayerNormEps,
        };

    /// <summary>Draws first values for all parameters, the head's included.</summary>
    public void Initialize(ulong seed) => ParameterInitializer.Initialize(Parameters, config, seed);

    /// <summary>Takes the parameters that <paramref name="source"/> has too: the encoder's, and the head's from a classifier.</summary>
    public void Load(HuggingFaceModel source)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach (ParameterSlot slot in Parameters.Layout.Slots)
        {
            if (source.Tensors.TryGetValue(slot.Name, out Tensor? values))
            {
                Parameters.Value(slot.Name).copy_(values);
            }
        }
    }

    /// <summary>Logits of a batch, shaped as the head says.</summary>
    /// <param name="input">The batch.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none, as in evaluation.</param>
    public Tensor Forward(EncoderInput input, DropoutStream? dropout)
    {
        Tensor hidden = encoder.Forward(input, dropout).view(input.BatchSize, input.Length, -1);
        return head.Forward(Parameters, hidden, value => dropout?.Apply(value, headDropout) ?? value);
    }

    /// <summary>The state dict of Hugging Face's class; the tensors, most of them views, belong to the caller's dispose scope.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> State() =>
        head.Export([.. Parameters.Layout.Slots.Select(slot => (slot.Name, Parameters.Value(slot.Name)))]);

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();

    private static ParameterLayout Describe(ElectraConfig config, TaskHead head)
    {
        config.Validate();
        ParameterLayout.Builder layout = new();
        Embeddings.Declare(layout, EmbeddingsPrefix, config);
        ElectraEncoder.Declare(layout, EncoderPrefix, config.Discriminator, config);
        head.Declare(layout, config.Discriminator.HiddenSize);
        return layout.Build();
    }
}
