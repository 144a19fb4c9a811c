using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>What the main model's loss came to on a micro-batch.</summary>
/// <param name="Sum">Its sum, [].</param>
/// <param name="Correct">Tokens that a language model got right, []; null: it predicts none.</param>
internal readonly record struct MainLoss(Tensor Sum, Tensor? Correct = null);

/// <summary>
/// Objectives of ELECTRA's form: a generator guesses masked tokens, guesses drawn from it replace them, and the main model learns from
/// the text so corrupted. They differ in what the main model learns.
/// </summary>
internal abstract class ReplacementObjective(ElectraPretrainingModel model, ObjectiveSettings? settings)
    : PretrainingObjective(model, settings)
{
    private const int UniformRows = 64;

    /// <summary>Weight of the main model's loss; a language model's is 1.</summary>
    protected virtual double MainWeight => 1;

    /// <inheritdoc/>
    public override LossScale ScaleOf(MaskedBatch step) =>
        LossScale.For(step.Positions.Length, MainTokens(step), Settings.GeneratorWeight, MainWeight);

    /// <summary>How many tokens of a batch the main model's loss counts.</summary>
    protected abstract int MainTokens(MaskedBatch batch);

    /// <summary>The main model's loss, with its backward pass where there is a <paramref name="scale"/>.</summary>
    /// <param name="hidden">Its hidden states of the corrupted text, [B * L, H].</param>
    /// <param name="batch">The batch.</param>
    /// <param name="corrupted">What it read, and what of it was replaced.</param>
    /// <param name="scale">What the loss is multiplied by; null: no gradient is wanted.</param>
    /// <param name="detected">Receives logits and labels of replaced tokens.</param>
    protected abstract MainLoss Learn(
        Tensor hidden,
        DeviceBatch batch,
        CorruptedBatch corrupted,
        double? scale,
        Action<float, bool>? detected
    );

    /// <remarks>
    /// The two graphs share parameters only (samples carry no gradient), so that each backward runs as soon as its loss is known and
    /// the generator's activations are gone before the main model's arise.
    /// </remarks>
    protected override PendingSums Run(
        DeviceBatch batch,
        ITokenSampler sampler,
        LossScale? scale,
        DropoutStream? dropout,
        Action<float, bool>? detected
    )
    {
        LanguageModelLoss generator = Model.Config.Parts.HasGenerator
            ? Generate(batch, sampler, scale?.Generator, dropout)
            : DrawUniformly(batch, sampler);
        CorruptedBatch corrupted = Corrupt(batch, generator.Samples);
        EncoderPass pass = Model.Main.Run(batch.Masked.WithIds(corrupted.Ids), dropout, Settings.Recompute);
        MainLoss main = Learn(pass.Hidden, batch, corrupted, scale?.Main, detected);
        Backward(pass);
        var counted = ObjectiveSums.Counted(batch.Host, batch.Host.Positions.Length, MainTokens(batch.Host));
        return PendingSums.Of(counted, main, generator, corrupted.Replaced.sum(ScalarType.Float64));
    }

    private LanguageModelLoss Generate(DeviceBatch batch, ITokenSampler sampler, double? scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        using StepClock.Section generator = Clock.Enter(StepPart.Generator);
        EncoderPass pass = Model.Generator.Run(batch.Masked, dropout, Settings.Recompute);
        LanguageModelLoss loss = Predict(
            Model.GeneratorHead,
            pass.Hidden.index_select(0, batch.Positions),
            new LanguageModelTargets(batch.Labels, scale, sampler)
        );
        Backward(pass);
        return loss.MoveToOuterDisposeScope();
    }

    private CorruptedBatch Corrupt(DeviceBatch batch, Tensor samples)
    {
        using StepClock.Section sampling = Clock.Enter(StepPart.Sampling);
        return TokenReplacement.Corrupt(batch, samples);
    }

    /// <summary>
    /// All tokens are as likely: the loss is ln V a token, and nothing learns from it (official <c>uniform_generator</c>).
    /// </summary>
    private LanguageModelLoss DrawUniformly(DeviceBatch batch, ITokenSampler sampler)
    {
        using var scope = NewDisposeScope();
        using StepClock.Section sampling = Clock.Enter(StepPart.Sampling);
        int vocabulary = Model.Config.VocabularySize,
            count = batch.Host.Positions.Length;
        Tensor samples = zeros_like(batch.Labels),
            logits = zeros(UniformRows, vocabulary, device: Device);
        Tensor probabilities = KeptScalars.Filled([UniformRows, vocabulary], 1.0 / vocabulary, Device);
        for (int first = 0; first < count; first += UniformRows)
        {
            int rows = Math.Min(UniformRows, count - first);
            int[] draws = [.. Enumerable.Range(first, rows)];
            samples.narrow(0, first, rows).copy_(sampler.Sample(logits.narrow(0, 0, rows), probabilities.narrow(0, 0, rows), draws));
        }

        Tensor loss = Upload.Doubles([count * Math.Log(vocabulary)], Device).squeeze(0);
        return new LanguageModelLoss(loss, zeros_like(loss), samples).MoveToOuterDisposeScope();
    }
}
