using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>What the main model's loss came to on a micro-batch.</summary>
internal readonly record struct MainLoss(double Sum, int Correct = 0);

/// <summary>
/// Objectives of ELECTRA's form: a generator guesses masked tokens, guesses drawn from it replace them, and the main model learns from
/// the text so corrupted. They differ in what the main model learns.
/// </summary>
internal abstract class ReplacementObjective(ElectraPretrainingModel model, ObjectiveSettings? settings) : PretrainingObjective(model, settings)
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
    protected abstract MainLoss Learn(Tensor hidden, MaskedBatch batch, CorruptedBatch corrupted, double? scale, Action<float, bool>? detected);

    /// <remarks>
    /// The two graphs share parameters only (samples carry no gradient), so that each backward runs as soon as its loss is known and
    /// the generator's activations are gone before the main model's arise.
    /// </remarks>
    protected override ObjectiveSums Run(
        MaskedBatch batch, ITokenSampler sampler, LossScale? scale, DropoutStream? dropout, Action<float, bool>? detected)
    {
        EncoderInput masked = InputOf(batch, batch.MaskedIds);
        LanguageModelLoss generator = Model.Config.Parts.HasGenerator
            ? Generate(batch, masked, sampler, scale?.Generator, dropout)
            : DrawUniformly(batch, sampler);
        CorruptedBatch corrupted = Corrupt(batch, generator.Samples);
        EncoderPass pass = Model.Main.Run(masked.WithIds(corrupted.Ids), dropout, Settings.Recompute);
        MainLoss main = Learn(pass.Hidden, batch, corrupted, scale?.Main, detected);
        Backward(pass);
        return new ObjectiveSums
        {
            GeneratorLoss = generator.Sum,
            Masked = batch.Positions.Length,
            GeneratorCorrect = generator.Correct,
            MainLoss = main.Sum,
            MainTokens = MainTokens(batch),
            MainCorrect = main.Correct,
            Tokens = batch.Tokens,
            Replaced = corrupted.Replaced.Count(replaced => replaced == 1),
        };
    }

    private LanguageModelLoss Generate(MaskedBatch batch, EncoderInput input, ITokenSampler sampler, double? scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        using StepClock.Section generator = Clock.Enter(StepPart.Generator);
        EncoderPass pass = Model.Generator.Run(input, dropout, Settings.Recompute);
        LanguageModelLoss loss = Predict(
            Model.GeneratorHead,
            pass.Hidden.index_select(0, Indices(batch.Positions)),
            new LanguageModelTargets(batch.Labels(), scale, sampler));
        Backward(pass);
        return loss;
    }

    private CorruptedBatch Corrupt(MaskedBatch batch, int[] samples)
    {
        using StepClock.Section sampling = Clock.Enter(StepPart.Sampling);
        return TokenReplacement.Corrupt(batch, samples);
    }

    /// <summary>All tokens are as likely: the loss is ln V a token, and nothing learns from it (official <c>uniform_generator</c>).</summary>
    private LanguageModelLoss DrawUniformly(MaskedBatch batch, ITokenSampler sampler)
    {
        using var scope = NewDisposeScope();
        using StepClock.Section sampling = Clock.Enter(StepPart.Sampling);
        int vocabulary = Model.Config.VocabularySize, count = batch.Positions.Length;
        var samples = new int[count];
        Tensor logits = zeros(UniformRows, vocabulary), probabilities = KeptScalars.Filled([UniformRows, vocabulary], 1.0 / vocabulary, CPU);
        for (int first = 0; first < count; first += UniformRows)
        {
            int rows = Math.Min(UniformRows, count - first);
            sampler.Sample(logits.narrow(0, 0, rows), probabilities.narrow(0, 0, rows), first, samples.AsSpan(first, rows));
        }

        return new LanguageModelLoss(count * Math.Log(vocabulary), 0, samples);
    }
}
