using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>What stands on the encoder for a task: Hugging Face's head of one of its classes, under its names.</summary>
/// <param name="Architecture">The class, one of <see cref="ElectraArchitecture"/>.</param>
internal abstract record TaskHead(string Architecture)
{
    /// <summary>Declares the head's parameters.</summary>
    /// <param name="layout">Receives them.</param>
    /// <param name="hidden">Width H of the encoder.</param>
    public abstract void Declare(ParameterLayout.Builder layout, int hidden);

    /// <summary>Logits of a batch.</summary>
    /// <param name="parameters">Hold the head's.</param>
    /// <param name="hidden">The encoder's output, [B, L, H].</param>
    /// <param name="drop">Applies the head's dropout.</param>
    public abstract Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop);

    /// <summary>A dense layer of the head.</summary>
    protected static Tensor Dense(ParameterStore parameters, string name, Tensor input) =>
        linear(input, parameters.Leaf(name + ".weight"), parameters.Leaf(name + ".bias"));
}

/// <summary>A head over the whole text: dropout, dense, GELU, dropout, dense, on [CLS]; logits [B, outputs].</summary>
internal sealed record SequenceHead(int Outputs) : TaskHead(ElectraArchitecture.SequenceClassification)
{
    /// <summary>The last layer, whose units are those of the answers.</summary>
    public const string OutputName = "classifier.out_proj";
    private const string InnerName = "classifier.dense";

    /// <inheritdoc/>
    public override void Declare(ParameterLayout.Builder layout, int hidden)
    {
        layout.AddLinear(InnerName, hidden, hidden, InitialValue.GlorotWeight);
        layout.AddLinear(OutputName, Outputs, hidden, InitialValue.GlorotWeight);
    }

    /// <inheritdoc/>
    public override Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop)
    {
        Tensor features = gelu(Dense(parameters, InnerName, drop(hidden.select(1, 0))));
        return Dense(parameters, OutputName, drop(features));
    }
}

/// <summary>A head over every token: dropout, dense; logits [B, L, outputs].</summary>
internal sealed record TokenHead(int Outputs) : TaskHead(ElectraArchitecture.TokenClassification)
{
    private const string Name = "classifier";

    /// <inheritdoc/>
    public override void Declare(ParameterLayout.Builder layout, int hidden) =>
        layout.AddLinear(Name, Outputs, hidden, InitialValue.GlorotWeight);

    /// <inheritdoc/>
    public override Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop) =>
        Dense(parameters, Name, drop(hidden));
}

/// <summary>A head over every token for the two ends of an answer: dense; logits [B, L, 2].</summary>
internal sealed record SpanHead() : TaskHead(ElectraArchitecture.QuestionAnswering)
{
    private const string Name = "qa_outputs";

    /// <inheritdoc/>
    public override void Declare(ParameterLayout.Builder layout, int hidden) =>
        layout.AddLinear(Name, 2, hidden, InitialValue.GlorotWeight);

    /// <inheritdoc/>
    public override Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop) => Dense(parameters, Name, hidden);
}
