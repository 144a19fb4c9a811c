using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>Makes another loss of log-likelihoods than their negative sum.</summary>
/// <param name="firstRow">Index of the first of the rows.</param>
/// <param name="logLikelihoods">Log-likelihood of each row's label, [R].</param>
/// <returns>The rows' loss, float64 [], and what each log-likelihood's gradient is multiplied by, [R]; a row of weight 0 is not
/// predicted.</returns>
internal delegate (Tensor Sum, Tensor Weights) RowLoss(int firstRow, Tensor logLikelihoods);

/// <summary>What a language model is to predict.</summary>
/// <param name="Labels">The tokens, int64 [K].</param>
/// <param name="Scale">What each token's loss is multiplied by in the total; null: no gradient is wanted.</param>
/// <param name="Sampler">Draws tokens, without gradient; null: none are wanted.</param>
/// <param name="Rows">Another loss; null: the negative log-likelihood of every token.</param>
internal sealed record LanguageModelTargets(Tensor Labels, double? Scale, ITokenSampler? Sampler = null, RowLoss? Rows = null);

/// <summary>What a language model's loss came to on a micro-batch.</summary>
/// <param name="Sum">Sum over the predicted tokens, in nats, float64 [].</param>
/// <param name="Correct">Predicted tokens that the model holds most likely, float64 [].</param>
/// <param name="Samples">A token drawn for each, int64 [K]; zeros where none was asked for.</param>
internal sealed record LanguageModelLoss(Tensor Sum, Tensor Correct, Tensor Samples)
{
    // 16 MB of logits: a matrix product of full speed that still stays near the cache.
    private const int ElementsAtOnce = 4 << 20;

    /// <summary>
    /// Language modeling of some tokens (ELECTRA section 2, L_MLM), with a token drawn for each. Works through the rows in chunks, so that
    /// the [K, V] logits never exist as a whole, and writes the gradient by hand: that of the output weight and bias is added at once to
    /// theirs, that of the states is returned.
    /// </summary>
    /// <param name="head">The language model's head.</param>
    /// <param name="transformed">Transformed states of the predicted positions, [K, E].</param>
    /// <param name="targets">What is to be predicted there.</param>
    /// <param name="clock">Divides the time.</param>
    /// <returns>Tensors of the caller's dispose scope.</returns>
    /// <param name="gradient">Gradient of the states, [K, E]; null where none is wanted. Belongs to the caller's dispose scope.</param>
    public static LanguageModelLoss Compute(
        LanguageModelHead head,
        Tensor transformed,
        LanguageModelTargets targets,
        StepClock clock,
        out Tensor? gradient
    )
    {
        (Tensor labels, double? scale, ITokenSampler? sampler, RowLoss? rows) = targets;
        using IDisposable noGrad = no_grad();
        gradient = scale is null ? null : empty_like(transformed);
        int vocabulary = (int)head.OutputBias.shape[0];
        int rowsAtOnce = Math.Clamp(ElementsAtOnce / vocabulary, 64, 4_096);
        Device device = transformed.device;
        int predicted = (int)labels.shape[0];
        var result = new LanguageModelLoss(
            zeros(1, ScalarType.Float64, device).squeeze(0),
            zeros(1, ScalarType.Float64, device).squeeze(0),
            zeros_like(labels)
        );
        for (int first = 0; first < predicted; first += rowsAtOnce)
        {
            using var scope = NewDisposeScope();
            int count = Math.Min(rowsAtOnce, predicted - first);
            Tensor states = transformed.narrow(0, first, count),
                label = labels.narrow(0, first, count).unsqueeze(1);
            Tensor logits = head.Decode(states);
            Tensor logProbabilities = nn.functional.log_softmax(logits, -1);
            Tensor likelihood = logProbabilities.gather(1, label);
            (Tensor Sum, Tensor Weights)? changed = rows?.Invoke(first, likelihood.squeeze(1));
            result.Sum.PlusInPlace(changed?.Sum ?? likelihood.sum(ScalarType.Float64), changed is null ? -1 : 1);
            using (clock.Enter(StepPart.Metrics))
            {
                Tensor isCorrect = likelihood.squeeze(1) >= logProbabilities.amax(1);
                isCorrect = changed is { } loss ? isCorrect.logical_and(loss.Weights) : isCorrect;
                result.Correct.PlusInPlace(isCorrect.sum(ScalarType.Float64), 1);
            }

            Tensor probabilities = logProbabilities.exp_();
            if (sampler is not null)
            {
                using StepClock.Section sampling = clock.Enter(StepPart.Sampling);
                result.Samples.narrow(0, first, count).copy_(sampler.Sample(logits, probabilities, [.. Enumerable.Range(first, count)]));
            }

            if (scale is { } factor)
            {
                using StepClock.Section backward = clock.Enter(StepPart.Backward);
                AddGradients(head, states, probabilities, label, changed?.Weights, (float)factor, gradient!.narrow(0, first, count));
            }
        }

        return result;
    }

    /// <summary>Takes its tensors to the scope outside the present one.</summary>
    public LanguageModelLoss MoveToOuterDisposeScope() =>
        new(Sum.MoveToOuterDisposeScope(), Correct.MoveToOuterDisposeScope(), Samples.MoveToOuterDisposeScope());

    /// <summary>The softmax's gradient is probability - 1 at the label and the probability elsewhere.</summary>
    private static void AddGradients(
        LanguageModelHead head,
        Tensor states,
        Tensor probabilities,
        Tensor label,
        Tensor? weights,
        float scale,
        Tensor stateGradient
    )
    {
        probabilities.scatter_add_(1, label, KeptScalars.Filled(label.shape, -1, label.device));
        if (weights is not null)
        {
            probabilities.mul_(weights.unsqueeze(1));
        }

        Tensor factors = probabilities.As(head.ProductType);
        stateGradient.copy_(factors.mm(head.OutputWeight.As(head.ProductType)).TimesInPlace(scale));
        if (head.ProductType == ScalarType.Float32)
        {
            head.OutputWeight.grad!.addmm_(probabilities.t(), states, 1, scale);
        }
        else
        {
            head.OutputWeight.grad!.PlusInPlace(factors.t().mm(states.As(head.ProductType)), scale);
        }

        head.OutputBias.grad!.PlusInPlace(probabilities.sum(dim: 0L), scale);
    }
}
