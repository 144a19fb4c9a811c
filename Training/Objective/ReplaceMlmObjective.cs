using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// The paper's "Replace MLM" (section 3.3): a masked language model whose masked tokens are replaced by the generator's guesses instead
/// of [MASK]. Shows what BERT loses by seeing [MASK] in pre-training only.
/// </summary>
internal sealed class ReplaceMlmObjective(ElectraPretrainingModel model, ObjectiveSettings? settings = null)
    : ReplacementObjective(model, settings)
{
    /// <inheritdoc/>
    protected override int MainTokens(MaskedBatch batch) => batch.Positions.Length;

    /// <inheritdoc/>
    protected override MainLoss Learn(
        Tensor hidden,
        DeviceBatch batch,
        CorruptedBatch corrupted,
        double? scale,
        Action<float, bool>? detected
    )
    {
        LanguageModelLoss loss = Predict(
            Model.LanguageModelHead,
            hidden.index_select(0, batch.Positions),
            new LanguageModelTargets(batch.Labels, scale)
        );
        return new MainLoss(loss.Sum, loss.Correct);
    }
}
