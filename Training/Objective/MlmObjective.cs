using ElectraPipeline.Training.Model;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// Plain masked language modeling ("BERT mode"): one encoder, no generator, masks drawn anew each time, no next-sentence task.
/// </summary>
internal sealed class MlmObjective(ElectraPretrainingModel model, ObjectiveSettings? settings = null)
    : PretrainingObjective(model, settings)
{
    /// <inheritdoc/>
    public override LossScale ScaleOf(MaskedBatch step) => LossScale.For(0, step.Positions.Length, 0, 1);

    /// <inheritdoc/>
    protected override PendingSums Run(
        DeviceBatch batch,
        ITokenSampler sampler,
        LossScale? scale,
        DropoutStream? dropout,
        Action<float, bool>? detected
    )
    {
        EncoderPass pass = Model.Main.Run(batch.Masked, dropout, Settings.Recompute);
        LanguageModelLoss loss = Predict(
            Model.LanguageModelHead,
            pass.Hidden.index_select(0, batch.Positions),
            new LanguageModelTargets(batch.Labels, scale?.Main)
        );
        Backward(pass);
        int masked = batch.Host.Positions.Length;
        var counted = ObjectiveSums.Counted(batch.Host, masked, masked);
        return PendingSums.Of(counted, new MainLoss(loss.Sum, loss.Correct));
    }
}
