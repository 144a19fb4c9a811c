using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// The paper's "ELECTRA 15%" (section 3.3): as ELECTRA, but the detection loss counts the masked tokens alone. Shows how much of ELECTRA's
/// gain comes from learning at all tokens.
/// </summary>
internal sealed class Electra15Objective(ElectraPretrainingModel model, ObjectiveSettings? settings = null)
    : ReplacementObjective(model, settings)
{
    /// <inheritdoc/>
    protected override double MainWeight => Settings.DiscriminatorWeight;

    /// <inheritdoc/>
    protected override int MainTokens(MaskedBatch batch) => batch.Positions.Distinct().Count();

    /// <inheritdoc/>
    protected override MainLoss Learn(
        Tensor hidden,
        DeviceBatch batch,
        CorruptedBatch corrupted,
        double? scale,
        Action<float, bool>? detected
    ) =>
        new(
            ElectraLoss.Detect(
                Model.DetectionHead.Forward(hidden),
                corrupted.Replaced,
                Upload.Floats(batch.Host.OneAt(batch.Host.Positions), Device),
                scale,
                detected,
                Clock
            )
        );
}
