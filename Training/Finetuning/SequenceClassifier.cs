using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>The discriminator's encoder with Hugging Face's classification head: dropout, dense, GELU, dropout, dense, on [CLS].</summary>
/// <remarks>Parameters have the names of Hugging Face's ElectraForSequenceClassification. One instance serves one thread.</remarks>
internal sealed class SequenceClassifier : IDisposable
{
    private const string EncoderPrefix = "electra";
    private const string EmbeddingsPrefix = "electra.embeddings";
    private readonly ElectraConfig config;
    private readonly double headDropout;
    private readonly ElectraEncoder encoder;
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly Parameter outputWeight;
    private readonly Parameter outputBias;

    /// <summary>Makes one with every parameter zero; initialize or load it.</summary>
    /// <param name="config">Sizes; the discriminator's encoder is used.</param>
    /// <param name="classes">C, classes to tell apart.</param>
    /// <param name="headDropout">Dropout in the head.</param>
    /// <param name="device">Where it computes.</param>
    public SequenceClassifier(ElectraConfig config, int classes, double headDropout, Device device)
    {
        this.config = config;
        this.headDropout = headDropout;
        Parameters = new ParameterStore(Describe(config, classes), device);
        Embeddings embeddings = new(Parameters, EmbeddingsPrefix, config);
        encoder = new ElectraEncoder(Parameters, EncoderPrefix, embeddings, config.Discriminator, config);
        weight = Parameters.Leaf("classifier.dense.weight");
        bias = Parameters.Leaf("classifier.dense.bias");
        outputWeight = Parameters.Leaf("classifier.out_proj.weight");
        outputBias = Parameters.Leaf("classifier.out_proj.bias");
    }

    /// <summary>Parameters and gradients.</summary>
    public ParameterStore Parameters { get; }

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

    /// <summary>Logits [B, C] of a batch.</summary>
    /// <param name="input">The batch.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none, as in evaluation.</param>
    public Tensor Forward(EncoderInput input, DropoutStream? dropout)
    {
        Tensor hidden = encoder.Forward(input, dropout).view(input.BatchSize, input.Length, -1).select(1, 0);
        Tensor features = gelu(linear(Drop(hidden, dropout), weight, bias));
        return linear(Drop(features, dropout), outputWeight, outputBias);
    }

    /// <summary>The state dict as views; they belong to the caller's dispose scope.</summary>
    public IReadOnlyList<(string Name, Tensor Tensor)> State() =>
        [.. Parameters.Layout.Slots.Select(slot => (slot.Name, Parameters.Value(slot.Name)))];

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();

    private static ParameterLayout Describe(ElectraConfig config, int classes)
    {
        config.Validate();
        ParameterLayout.Builder layout = new();
        Embeddings.Declare(layout, EmbeddingsPrefix, config);
        ElectraEncoder.Declare(layout, EncoderPrefix, config.Discriminator, config);
        layout.AddLinear("classifier.dense", config.Discriminator.HiddenSize, config.Discriminator.HiddenSize, InitialValue.GlorotWeight);
        layout.AddLinear("classifier.out_proj", classes, config.Discriminator.HiddenSize, InitialValue.GlorotWeight);
        return layout.Build();
    }

    private Tensor Drop(Tensor value, DropoutStream? dropout) => dropout?.Apply(value, headDropout) ?? value;
}
