using ElectraPipeline.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>Makes another loss of log-likelihoods than their negative sum.</summary>
/// <param name="firstRow">Index of the first of the rows.</param>
/// <param name="logLikelihoods">Log-likelihood of each row's label, [R].</param>
/// <returns>The rows' loss, and what each log-likelihood's gradient is multiplied by, [R]; a row of weight 0 is not predicted.</returns>
internal delegate (double Sum, Tensor Weights) RowLoss(int firstRow, Tensor logLikelihoods);

/// <summary>What a language model is to predict.</summary>
/// <param name="Labels">The tokens, [K].</param>
/// <param name="Scale">What each token's loss is multiplied by in the total; null: no gradient is wanted.</param>
/// <param name="Sampler">Draws tokens, without gradient; null: none are wanted.</param>
/// <param name="Rows">Another loss; null: the negative log-likelihood of every token.</param>
internal sealed record LanguageModelTargets(int[] Labels, double? Scale, ITokenSampler? Sampler = null, RowLoss? Rows = null);

/// <summary>What a language model's loss came to on a micro-batch.</summary>
/// <param name="Sum">Sum over the predicted tokens, in nats.</param>
/// <param name="Correct">Predicted tokens that the model holds most likely.</param>
/// <param name="Samples">A token drawn for each, [K]; zeros where none was asked for.</param>
internal sealed record LanguageModelLoss(double Sum, int Correct, int[] Samples)
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
    /// <param name="gradient">Gradient of the states, [K, E]; null where none is wanted. Belongs to the caller's dispose scope.</param>
    public static LanguageModelLoss Compute(
        LanguageModelHead head, Tensor transformed, LanguageModelTargets targets, StepClock clock, out Tensor? gradient)
    {
        (int[] labels, double? scale, ITokenSampler? sampler, RowLoss? rows) = targets;
        using IDisposable noGrad = no_grad();
        gradient = scale is null ? null : empty_like(transformed);
        int vocabulary = (int)head.OutputBias.shape[0];
        int rowsAtOnce = Math.Clamp(ElementsAtOnce / vocabulary, 64, 4_096);
        var samples = new int[labels.Length];
        double sum = 0;
        int correct = 0;
        for (int first = 0; first < labels.Length; first += rowsAtOnce)
        {
            using var scope = NewDisposeScope();
            int count = Math.Min(rowsAtOnce, labels.Length - first);
            Tensor states = transformed.narrow(0, first, count);
            Tensor label = tensor(Array.ConvertAll(labels[first..(first + count)], id => (long)id), device: states.device).unsqueeze(1);
            Tensor logits = head.Decode(states);
            Tensor logProbabilities = nn.functional.log_softmax(logits, -1);
            Tensor likelihood = logProbabilities.gather(1, label);
            (double Sum, Tensor Weights)? changed = rows?.Invoke(first, likelihood.squeeze(1));
            sum += changed?.Sum ?? -likelihood.sum(ScalarType.Float64).ToDouble();
            using (clock.Enter(StepPart.Metrics))
            {
                Tensor isCorrect = likelihood.squeeze(1) >= logProbabilities.amax(1);
                correct += (int)(changed is { } loss ? isCorrect & loss.Weights.@bool() : isCorrect).sum().ToInt64();
            }

            Tensor probabilities = logProbabilities.exp_();
            using (clock.Enter(StepPart.Sampling))
            {
                sampler?.Sample(logits, probabilities, first, samples.AsSpan(first, count));
            }

            if (scale is { } factor)
            {
                using StepClock.Section backward = clock.Enter(StepPart.Backward);
                AddGradients(head, states, probabilities, label, changed?.Weights, (float)factor, gradient!.narrow(0, first, count));
            }
        }

        return new LanguageModelLoss(sum, correct, samples);
    }

    /// <summary>The softmax's gradient is probability - 1 at the label and the probability elsewhere.</summary>
    private static void AddGradients(
        LanguageModelHead head, Tensor states, Tensor probabilities, Tensor label, Tensor? weights, float scale, Tensor stateGradient)
    {
        probabilities.scatter_add_(1, label, KeptScalars.Filled(label.shape, -1, label.device));
        if (weights is not null)
        {
            probabilities.mul_(weights.unsqueeze(1));
        }

        stateGradient.copy_(probabilities.mm(head.OutputWeight).TimesInPlace(scale));
        head.OutputWeight.grad!.addmm_(probabilities.t(), states, 1, scale);
        head.OutputBias.grad!.PlusInPlace(probabilities.sum(dim: 0L), scale);
    }
}
