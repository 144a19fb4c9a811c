using ElectraPipeline.Training.Checkpoints;
using ElectraPipeline.Training.Model;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Finetuning;

/// <summary>What stands on the encoder for a task: Hugging Face's head of one of its classes, under its names.</summary>
/// <param name="Architecture">The class, one of <see cref="ElectraArchitecture"/>.</param>
internal abstract record TaskHead(string Architecture)
{
    /// <summary>The layer whose units are those of the answers.</summary>
    public abstract string OutputName { get; }

    /// <summary>The least width of an encoder whose model can be exported.</summary>
    public virtual int SmallestHidden => 1;

    /// <summary>Declares the head's parameters.</summary>
    /// <param name="layout">Receives them.</param>
    /// <param name="hidden">Width H of the encoder.</param>
    public abstract void Declare(ParameterLayout.Builder layout, int hidden);

    /// <summary>Logits of a batch.</summary>
    /// <param name="parameters">Hold the head's.</param>
    /// <param name="hidden">The encoder's output, [B, L, H].</param>
    /// <param name="drop">Applies the head's dropout.</param>
    public abstract Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop);

    /// <summary>The state dict of Hugging Face's class, which gives the same logits; new tensors belong to the caller's scope.</summary>
    /// <param name="state">The model's own.</param>
    public virtual IReadOnlyList<(string Name, Tensor Value)> Export(IReadOnlyList<(string Name, Tensor Value)> state) => state;

    /// <summary>A dense layer of the head.</summary>
    protected static Tensor Dense(ParameterStore parameters, string name, Tensor input) =>
        linear(input, parameters.Leaf(name + ".weight"), parameters.Leaf(name + ".bias"));
}

/// <summary>A head over the whole text: dropout, dense, GELU, dropout, dense, on [CLS]; logits [B, outputs].</summary>
internal sealed record SequenceHead(int Outputs) : TaskHead(ElectraArchitecture.SequenceClassification)
{
    /// <summary>Hugging Face's name of the inner layer.</summary>
    public const string InnerName = "classifier.dense";

    /// <summary>Hugging Face's name of the last layer.</summary>
    public const string LastName = "classifier.out_proj";

    /// <inheritdoc/>
    public override string OutputName => LastName;

    /// <inheritdoc/>
    public override void Declare(ParameterLayout.Builder layout, int hidden)
    {
        layout.AddLinear(InnerName, hidden, hidden, InitialValue.GlorotWeight);
        layout.AddLinear(LastName, Outputs, hidden, InitialValue.GlorotWeight);
    }

    /// <inheritdoc/>
    public override Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop)
    {
        Tensor features = gelu(Dense(parameters, InnerName, drop(hidden.select(1, 0))));
        return Dense(parameters, LastName, drop(features));
    }
}

/// <summary>The official code's head over the whole text: dropout, dense, on [CLS]; logits [B, outputs].</summary>
/// <remarks>
/// Hugging Face has no such class. As GELU(x) - GELU(-x) = x, its two layers compute this one exactly if the inner one holds each unit
/// twice, once with its sign turned, and the last one takes their difference.
/// </remarks>
internal sealed record OfficialSequenceHead(int Outputs) : TaskHead(ElectraArchitecture.SequenceClassification)
{
    // None of Hugging Face's names: the last layer of its head, read into this one, would be no sensible start.
    private const string Name = "classifier.linear";

    /// <inheritdoc/>
    public override string OutputName => Name;

    /// <inheritdoc/>
    public override int SmallestHidden => 2 * Outputs;

    /// <inheritdoc/>
    public override void Declare(ParameterLayout.Builder layout, int hidden) =>
        layout.AddLinear(Name, Outputs, hidden, InitialValue.GlorotWeight);

    /// <inheritdoc/>
    public override Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop) =>
        Dense(parameters, Name, drop(hidden.select(1, 0)));

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, Tensor Value)> Export(IReadOnlyList<(string Name, Tensor Value)> state)
    {
        Tensor weight = state.Single(entry => entry.Name == Name + ".weight").Value;
        Tensor bias = state.Single(entry => entry.Name == Name + ".bias").Value;
        long hidden = weight.shape[1];
        Tensor none = zeros(hidden - SmallestHidden, hidden, device: weight.device);
        Tensor unit = eye(Outputs, device: weight.device);
        return
        [
            .. state.Where(entry => !entry.Name.StartsWith(Name, StringComparison.Ordinal)),
            (SequenceHead.InnerName + ".weight", cat([weight, -weight, none])),
            (SequenceHead.InnerName + ".bias", zeros(hidden, device: weight.device)),
            (SequenceHead.LastName + ".weight", cat([unit, -unit, zeros(Outputs, hidden - SmallestHidden, device: weight.device)], 1)),
            (SequenceHead.LastName + ".bias", bias),
        ];
    }
}

/// <summary>A head over every token: dropout, dense; logits [B, L, outputs].</summary>
internal sealed record TokenHead(int Outputs) : TaskHead(ElectraArchitecture.TokenClassification)
{
    private const string Name = "classifier";

    /// <inheritdoc/>
    public override string OutputName => Name;

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
    public override string OutputName => Name;

    /// <inheritdoc/>
    public override void Declare(ParameterLayout.Builder layout, int hidden) =>
        layout.AddLinear(Name, 2, hidden, InitialValue.GlorotWeight);

    /// <inheritdoc/>
    public override Tensor Forward(ParameterStore parameters, Tensor hidden, Func<Tensor, Tensor> drop) => Dense(parameters, Name, hidden);
}
