using ElectraPipeline.Training.Model;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// The paper's "All-Tokens MLM" (section 3.3): the main model predicts the original of every token of the corrupted text, with a copy
/// mechanism: D for the token it reads plus 1 - D times its softmax, where 1 - D is the detection head's probability of 'replaced'.
/// </summary>
internal sealed class AllTokensMlmObjective(ElectraPretrainingModel model, ObjectiveSettings? settings = null)
    : ReplacementObjective(model, settings)
{
    /// <inheritdoc/>
    protected override int MainTokens(MaskedBatch batch) => batch.Tokens;

    /// <inheritdoc/>
    protected override MainLoss Learn(
        Tensor hidden,
        DeviceBatch batch,
        CorruptedBatch corrupted,
        double? scale,
        Action<float, bool>? detected
    )
    {
        Tensor positions = Upload.Longs(batch.Host.RealPositions(), Device),
            labels = batch.OriginalIds.index_select(0, positions);
        Tensor replaced = corrupted.Replaced.index_select(0, positions),
            states = hidden.index_select(0, positions);
        Tensor replacedLogits = Model.DetectionHead.Forward(states);
        Tensor transformed = Model.LanguageModelHead.Transform(states);
        var copying = new CopyMechanism(replacedLogits.detach(), replaced);
        LanguageModelLoss loss = LanguageModelLoss.Compute(
            Model.LanguageModelHead,
            transformed,
            new LanguageModelTargets(labels, scale, Rows: copying.Loss),
            Clock,
            out Tensor? gradient
        );
        if (scale is { } factor)
        {
            using StepClock.Section backward = Clock.Enter(StepPart.Backward);
            // Both heads hang on the same states: one backward pass for both.
            (transformed * gradient!)
                .sum()
                .Plus((replacedLogits * copying.LogitGradient).sum().Times(factor))
                .backward();
        }

        if (detected is not null)
        {
            ElectraLoss.Report(replacedLogits, replaced, ones_like(replaced), detected);
        }

        return new MainLoss(loss.Sum, loss.Correct);
    }

    /// <summary>
    /// -log(D [the token read is the original] + (1 - D) p) and its gradients, for logits r of 'replaced': D = sigmoid(-r).
    /// </summary>
    private sealed class CopyMechanism(Tensor replacedLogits, Tensor replaced)
    {
        /// <summary>Gradient of the loss's sum by the logits, [K].</summary>
        public Tensor LogitGradient { get; } = zeros_like(replacedLogits);

        public (Tensor Sum, Tensor Weights) Loss(int firstRow, Tensor logLikelihoods)
        {
            long rows = logLikelihoods.shape[0];
            Tensor logit = replacedLogits.narrow(0, firstRow, rows);
            Tensor predicted = logsigmoid(logit).Plus(logLikelihoods);
            Tensor total = where(replaced.narrow(0, firstRow, rows).@bool(), predicted, logaddexp(logsigmoid(-logit), predicted));
            Tensor weights = (predicted - total).exp(); // share of the probability that is the softmax's
            Tensor share = logit.sigmoid();
            LogitGradient.narrow(0, firstRow, rows).copy_(share - weights);
            return (-total.sum(ScalarType.Float64), weights);
        }
    }
}
