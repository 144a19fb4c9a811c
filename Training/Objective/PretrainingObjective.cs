using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// A pre-training task: what of a masked batch the networks read, and the losses that follow. To add one: derive from this class and
/// name it in <see cref="PretrainingObjectives"/>.
/// </summary>
internal abstract class PretrainingObjective(ElectraPretrainingModel model, ObjectiveSettings? settings)
{
    /// <summary>Where this objective's time goes.</summary>
    public StepClock Clock { get; } = new();

    /// <summary>The networks.</summary>
    protected ElectraPretrainingModel Model { get; } = model;

    /// <summary>The options.</summary>
    protected ObjectiveSettings Settings { get; } = settings ?? new ObjectiveSettings();

    /// <summary>Where it computes.</summary>
    protected Device Device => Model.Parameters.Values.device;

    /// <summary>The factors of both losses for an optimizer step, from the counts over its whole batch.</summary>
    public abstract LossScale ScaleOf(MaskedBatch step);

    /// <summary>Adds the gradients of a micro-batch to the model's. Waits for nothing that the device computes.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="sampler">Draws the replacements.</param>
    /// <param name="scale">What the losses' sums are multiplied by.</param>
    /// <param name="dropout">Where dropout is drawn from; null: none.</param>
    public PendingSums Begin(DeviceBatch batch, ITokenSampler sampler, LossScale scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        using StepClock.Section main = Clock.Enter(StepPart.Main);
        return Run(batch, sampler, scale, dropout, detected: null);
    }

    /// <summary>The same at once, for a batch that is not on the device yet.</summary>
    public ObjectiveSums Accumulate(MaskedBatch batch, ITokenSampler sampler, LossScale scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        using PendingSums sums = Begin(new DeviceBatch(batch, Device), sampler, scale, dropout);
        return sums.Read();
    }

    /// <summary>
    /// Losses of a micro-batch without gradients. <paramref name="detected"/> receives, for each real token, the logit of its being
    /// replaced and whether it is; nothing if the objective detects nothing.
    /// </summary>
    public ObjectiveSums Evaluate(MaskedBatch batch, ITokenSampler sampler, Action<float, bool> detected)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using PendingSums sums = Run(new DeviceBatch(batch, Device), sampler, scale: null, dropout: null, detected);
        return sums.Read();
    }

    /// <summary>One micro-batch, with gradients where there is a <paramref name="scale"/>.</summary>
    protected abstract PendingSums Run(
        DeviceBatch batch,
        ITokenSampler sampler,
        LossScale? scale,
        DropoutStream? dropout,
        Action<float, bool>? detected
    );

    /// <summary>
    /// A language model's loss, backward pass included where <paramref name="targets"/> have a scale.
    /// </summary>
    /// <param name="head">The language model's head.</param>
    /// <param name="states">Hidden states of the predicted tokens, [K, H].</param>
    /// <param name="targets">What is predicted.</param>
    protected LanguageModelLoss Predict(LanguageModelHead head, Tensor states, LanguageModelTargets targets)
    {
        Tensor transformed = head.Transform(states);
        LanguageModelLoss loss = LanguageModelLoss.Compute(head, transformed, targets, Clock, out Tensor? gradient);
        if (gradient is not null)
        {
            using StepClock.Section backward = Clock.Enter(StepPart.Backward);
            transformed.backward([gradient]);
        }

        return loss;
    }

    /// <summary>Carries the gradient of a pass's last states on to the parameters.</summary>
    protected void Backward(EncoderPass pass)
    {
        using StepClock.Section backward = Clock.Enter(StepPart.Backward);
        pass.Backward();
    }
}
