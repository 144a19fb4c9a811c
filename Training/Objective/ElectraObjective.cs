using ElectraPipeline.Training.Model;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>Weights and sizes that turn sums of losses into the total: each part is a mean over the whole optimizer step.</summary>
/// <param name="Generator">Generator weight / (masked positions of the step + 1e-6).</param>
/// <param name="Discriminator">Discriminator weight / (real tokens of the step + 1e-6).</param>
internal readonly record struct LossScale(double Generator, double Discriminator)
{
    /// <summary>Scales for a step of these counts.</summary>
    public static LossScale For(int masked, int tokens, double generatorWeight, double discriminatorWeight) => new(
        generatorWeight / (masked + ElectraLoss.Epsilon), discriminatorWeight / (tokens + ElectraLoss.Epsilon));
}

/// <summary>Sums over micro-batches; means are taken at the end.</summary>
internal readonly record struct ObjectiveSums(
    double GeneratorLoss, double DiscriminatorLoss, int Masked, int Tokens, int GeneratorCorrect, int Replaced)
{
    /// <summary>Mean MLM loss in nats a masked token.</summary>
    public double MeanGeneratorLoss => GeneratorLoss / (Masked + ElectraLoss.Epsilon);

    /// <summary>Mean RTD loss in nats a real token.</summary>
    public double MeanDiscriminatorLoss => DiscriminatorLoss / (Tokens + ElectraLoss.Epsilon);

    /// <summary>Adds two parts of a batch.</summary>
    public static ObjectiveSums operator +(ObjectiveSums a, ObjectiveSums b) => new(
        a.GeneratorLoss + b.GeneratorLoss,
        a.DiscriminatorLoss + b.DiscriminatorLoss,
        a.Masked + b.Masked,
        a.Tokens + b.Tokens,
        a.GeneratorCorrect + b.GeneratorCorrect,
        a.Replaced + b.Replaced);
}

/// <summary>ELECTRA's objective on one micro-batch: guess masked tokens, resample them, detect the replaced ones.</summary>
internal sealed class ElectraObjective(ElectraPretrainingModel model)
{
    private readonly Device device = model.Parameters.Values.device;

    /// <summary>Adds the gradients of a micro-batch to the model's.</summary>
    /// <remarks>
    /// The two graphs share parameters only (samples carry no gradient), so that each backward runs as soon as its loss is known and
    /// the generator's activations are gone before the discriminator's arise.
    /// </remarks>
    public ObjectiveSums Accumulate(MaskedBatch batch, ITokenSampler sampler, LossScale scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        EncoderInput original = EncoderInput.Create(batch.MaskedIds, batch.Lengths, batch.SecondSegments, device);
        GeneratorLoss generator = Generate(batch, original, sampler, scale.Generator, dropout);
        CorruptedBatch corrupted = TokenReplacement.Corrupt(batch, generator.Samples);

        Tensor logits = Discriminate(original.WithIds(corrupted.Ids), dropout);
        Tensor loss = ElectraLoss.ReplacedTokenDetection(logits, tensor(corrupted.Replaced, device: device), RealTokens(batch));
        (loss * scale.Discriminator).backward();
        return Sums(batch, generator, corrupted, loss);
    }

    /// <summary>Losses of a micro-batch without gradients; <paramref name="visit"/> receives the discriminator's logits and labels, [B * L].</summary>
    public ObjectiveSums Evaluate(MaskedBatch batch, ITokenSampler sampler, Action<float[], float[]> visit)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        EncoderInput original = EncoderInput.Create(batch.MaskedIds, batch.Lengths, batch.SecondSegments, device);
        GeneratorLoss generator = Generate(batch, original, sampler, scale: null, dropout: null);
        CorruptedBatch corrupted = TokenReplacement.Corrupt(batch, generator.Samples);
        Tensor logits = Discriminate(original.WithIds(corrupted.Ids), dropout: null);
        Tensor loss = ElectraLoss.ReplacedTokenDetection(logits, tensor(corrupted.Replaced, device: device), RealTokens(batch));
        visit(logits.cpu().data<float>().ToArray(), corrupted.Replaced);
        return Sums(batch, generator, corrupted, loss);
    }

    private GeneratorLoss Generate(MaskedBatch batch, EncoderInput input, ITokenSampler sampler, double? scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        Tensor hidden = model.Generator.Forward(input, dropout);
        Tensor positions = tensor(Array.ConvertAll(batch.Positions, position => (long)position), device: device);
        Tensor transformed = model.GeneratorHead.Transform(hidden.index_select(0, positions));
        GeneratorLoss loss = ElectraLoss.MaskedLanguageModeling(
            model.GeneratorHead, transformed, batch.Labels(), scale, sampler, out Tensor? gradient);
        if (gradient is not null)
        {
            transformed.backward([gradient]);
        }

        return loss;
    }

    private Tensor Discriminate(EncoderInput input, DropoutStream? dropout) =>
        model.DiscriminatorHead.Forward(model.Discriminator.Forward(input, dropout));

    private Tensor RealTokens(MaskedBatch batch)
    {
        var real = new float[batch.Count * batch.Length];
        for (int b = 0; b < batch.Count; b++)
        {
            real.AsSpan(b * batch.Length, batch.Lengths[b]).Fill(1);
        }

        return tensor(real, device: device);
    }

    private static ObjectiveSums Sums(MaskedBatch batch, GeneratorLoss generator, CorruptedBatch corrupted, Tensor loss) => new(
        generator.Sum,
        loss.item<float>(),
        batch.Positions.Length,
        batch.Tokens,
        generator.Correct,
        corrupted.Replaced.Count(replaced => replaced == 1));
}
