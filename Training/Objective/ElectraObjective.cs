using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// ELECTRA (section 2): the main model tells replaced from original tokens, at every real token, [CLS] and [SEP] included.
/// </summary>
internal sealed class ElectraObjective(ElectraPretrainingModel model, ObjectiveSettings? settings = null)
    : ReplacementObjective(model, settings)
{
    /// <inheritdoc/>
    protected override double MainWeight => Settings.DiscriminatorWeight;

    /// <inheritdoc/>
    protected override int MainTokens(MaskedBatch batch) => batch.Tokens;

    /// <inheritdoc/>
    protected override MainLoss Learn(
        Tensor hidden,
        DeviceBatch batch,
        CorruptedBatch corrupted,
        double? scale,
        Action<float, bool>? detected
    ) => new(ElectraLoss.Detect(Model.DetectionHead.Forward(hidden), corrupted.Replaced, batch.Real, scale, detected, Clock));
}
