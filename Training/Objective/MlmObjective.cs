using ElectraPipeline.Training.Model;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// Plain masked language modeling ("BERT mode"): one encoder, no generator, masks drawn anew each time, no next-sentence task.
/// </summary>
internal sealed class MlmObjective(ElectraPretrainingModel model, ObjectiveSettings? settings = null) : PretrainingObjective(model, settings)
{
    /// <inheritdoc/>
    public override LossScale ScaleOf(MaskedBatch step) => LossScale.For(0, step.Positions.Length, 0, 1);

    /// <inheritdoc/>
    protected override ObjectiveSums Run(
        MaskedBatch batch, ITokenSampler sampler, LossScale? scale, DropoutStream? dropout, Action<float, bool>? detected)
    {
        EncoderPass pass = Model.Main.Run(InputOf(batch, batch.MaskedIds), dropout, Settings.Recompute);
        LanguageModelLoss loss = Predict(
            Model.LanguageModelHead, pass.Hidden.index_select(0, Indices(batch.Positions)), new LanguageModelTargets(batch.Labels(), scale?.Main));
        Backward(pass);
        return new ObjectiveSums
        {
            Masked = batch.Positions.Length,
            MainLoss = loss.Sum,
            MainTokens = batch.Positions.Length,
            MainCorrect = loss.Correct,
            Tokens = batch.Tokens,
        };
    }
}
