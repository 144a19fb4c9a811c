using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// A pre-training task: what of a masked batch the networks read, and the losses that follow. To add one: derive from this class and
/// name it in <see cref="PretrainingObjectives"/>.
/// </summary>
internal abstract class PretrainingObjective(ElectraPretrainingModel model, ObjectiveSettings? settings)
{
    /// <summary>The networks.</summary>
    protected ElectraPretrainingModel Model { get; } = model;

    /// <summary>The options.</summary>
    protected ObjectiveSettings Settings { get; } = settings ?? new ObjectiveSettings();

    /// <summary>Where it computes.</summary>
    protected Device Device => Model.Parameters.Values.device;

    /// <summary>The factors of both losses for an optimizer step, from the counts over its whole batch.</summary>
    public abstract LossScale ScaleOf(MaskedBatch step);

    /// <summary>Adds the gradients of a micro-batch to the model's.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="sampler">Draws the replacements.</param>
    /// <param name="scale">What the losses' sums are multiplied by.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none.</param>
    public ObjectiveSums Accumulate(MaskedBatch batch, ITokenSampler sampler, LossScale scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        return Run(batch, sampler, scale, dropout, detected: null);
    }

    /// <summary>
    /// Losses of a micro-batch without gradients. <paramref name="detected"/> receives, for each real token, the logit of its being
    /// replaced and whether it is; nothing if the objective detects nothing.
    /// </summary>
    public ObjectiveSums Evaluate(MaskedBatch batch, ITokenSampler sampler, Action<float, bool> detected)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return Run(batch, sampler, scale: null, dropout: null, detected);
    }

    /// <summary>One micro-batch, with gradients where there is a <paramref name="scale"/>.</summary>
    protected abstract ObjectiveSums Run(
        MaskedBatch batch, ITokenSampler sampler, LossScale? scale, DropoutStream? dropout, Action<float, bool>? detected);

    /// <summary>A batch as encoders read it, with these tokens.</summary>
    protected EncoderInput InputOf(MaskedBatch batch, int[] ids) => EncoderInput.Create(ids, batch.Lengths, batch.SecondSegments, Device);

    /// <summary>Indices into [B * L] on the device.</summary>
    protected Tensor Indices(int[] positions) => tensor(Array.ConvertAll(positions, position => (long)position), device: Device);

    /// <summary>
    /// A main encoder's language model loss at some positions, backward pass included where there is a <paramref name="scale"/>.
    /// </summary>
    protected LanguageModelLoss Predict(Tensor hidden, int[] positions, int[] labels, double? scale)
    {
        Tensor transformed = Model.LanguageModelHead.Transform(hidden.index_select(0, Indices(positions)));
        LanguageModelLoss loss = LanguageModelLoss.Compute(
            Model.LanguageModelHead, transformed, labels, scale, sampler: null, rows: null, out Tensor? gradient);
        if (gradient is not null)
        {
            transformed.backward([gradient]);
        }

        return loss;
    }
}
