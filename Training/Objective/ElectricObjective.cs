using ElectraPipeline.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Objective;

/// <summary>
/// Electric (Clark et al. 2020, "Pre-training transformers as energy-based cloze models"): the main model gives each token x_t in its
/// context an energy E, exp(-E) being proportional to its probability, learned by noise-contrastive estimation (section 2.3). Its head is
/// the discriminator's: E is the logit of 'replaced'.
/// </summary>
/// <remarks>
/// The chosen positions get noise tokens drawn from q, a two-tower cloze model of the text. That x_t is noise has the odds
/// k q(x_t) / ((1 - k) exp(-E)), k being the share of chosen positions, so that E + log q + log k / (1 - k) is a logit. A drawn token
/// is noise even where it equals the text's.
/// </remarks>
internal sealed class ElectricObjective(ElectraPretrainingModel model, ObjectiveSettings? settings = null) : PretrainingObjective(model, settings)
{
    /// <inheritdoc/>
    public override LossScale ScaleOf(MaskedBatch step) =>
        LossScale.For(step.RealPositions().Count(p => IsCandidate(step, p)), step.Tokens, Settings.GeneratorWeight, Settings.DiscriminatorWeight);

    /// <inheritdoc/>
    protected override ObjectiveSums Run(
        MaskedBatch batch, ITokenSampler sampler, LossScale? scale, DropoutStream? dropout, Action<float, bool>? detected)
    {
        EncoderInput text = InputOf(batch, batch.OriginalIds);
        var noise = new NoiseDraws(sampler, batch, Device);
        (LanguageModelLoss generator, int candidates) = Generate(batch, text, noise, scale?.Generator, dropout);
        int[] ids = noise.Ids();
        EncoderPass pass = Model.Main.Run(text.WithIds(ids), dropout, Settings.Recompute);
        double share = Settings.MaskProbability;
        Tensor logits = Model.DetectionHead.Forward(pass.Hidden).Plus(noise.LogLikelihoods).Plus(Math.Log(share / (1 - share)));
        double loss = ElectraLoss.Detect(
            logits, batch.OneAt(batch.Positions), batch.OneAt(noise.Positions), scale?.Main, detected, Clock);
        Backward(pass);
        return new ObjectiveSums
        {
            GeneratorLoss = generator.Sum,
            Masked = candidates,
            GeneratorCorrect = generator.Correct,
            MainLoss = loss,
            MainTokens = batch.Tokens,
            Tokens = batch.Tokens,
            Replaced = ids.Where((id, i) => id != batch.OriginalIds[i]).Count(),
        };
    }

    private bool IsCandidate(MaskedBatch batch, int position) => !Settings.Ids.Contains(batch.OriginalIds[position]);

    /// <summary>The cloze model's loss at all tokens but special ones; what it draws and how likely it holds it goes to the noise.</summary>
    private (LanguageModelLoss Loss, int Candidates) Generate(
        MaskedBatch batch, EncoderInput text, NoiseDraws noise, double? scale, DropoutStream? dropout)
    {
        using var scope = NewDisposeScope();
        using StepClock.Section generator = Clock.Enter(StepPart.Generator);
        float[] counted = Array.ConvertAll(noise.Positions, position => IsCandidate(batch, position) ? 1f : 0f);
        Tensor weights = tensor(counted, device: Device);
        LanguageModelLoss loss = Predict(
            Model.GeneratorHead,
            Model.Towers.Forward(text, dropout).index_select(0, Indices(noise.Positions)),
            new LanguageModelTargets(noise.Originals, scale, noise, Candidates));
        return (loss, counted.Count(weight => weight == 1));

        (double Sum, Tensor Weights) Candidates(int firstRow, Tensor logLikelihoods)
        {
            Tensor part = weights.narrow(0, firstRow, logLikelihoods.shape[0]);
            return (-(logLikelihoods * part).sum(ScalarType.Float64).ToDouble(), part);
        }
    }

    /// <summary>Draws noise at the chosen positions only, and keeps log q of the token that each position ends up with.</summary>
    private sealed class NoiseDraws : ITokenSampler
    {
        private readonly ITokenSampler inner;
        private readonly MaskedBatch batch;
        private readonly Dictionary<int, int> drawOf = [];
        private readonly int[] ids;

        public NoiseDraws(ITokenSampler inner, MaskedBatch batch, Device device)
        {
            this.inner = inner;
            this.batch = batch;
            Positions = batch.RealPositions();
            Originals = Array.ConvertAll(Positions, position => batch.OriginalIds[position]);
            LogLikelihoods = zeros(batch.Count * batch.Length, device: device);
            ids = [.. batch.OriginalIds];
            for (int i = 0; i < batch.Positions.Length; i++)
            {
                drawOf.TryAdd(batch.Positions[i], i);
            }
        }

        /// <summary>All real tokens as indices into [B * L]: the cloze model's rows.</summary>
        public int[] Positions { get; }

        /// <summary>Their tokens in the text.</summary>
        public int[] Originals { get; }

        /// <summary>log q, [B * L]; 0 at padding.</summary>
        public Tensor LogLikelihoods { get; }

        /// <summary>The text with noise, [B * L].</summary>
        public int[] Ids() => ids;

        public void Sample(Tensor logits, Tensor probabilities, int firstRow, Span<int> samples)
        {
            using var scope = NewDisposeScope();
            for (int row = 0; row < samples.Length; row++)
            {
                int position = Positions[firstRow + row];
                samples[row] = batch.OriginalIds[position];
                if (drawOf.TryGetValue(position, out int draw))
                {
                    inner.Sample(logits.narrow(0, row, 1), probabilities.narrow(0, row, 1), draw, samples.Slice(row, 1));
                    ids[position] = samples[row];
                }
            }

            Tensor chosen = tensor(Array.ConvertAll(samples.ToArray(), id => (long)id), device: logits.device).unsqueeze(1);
            Tensor likelihoods = logits.gather(1, chosen).squeeze(1) - logits.logsumexp(1);
            Tensor places = tensor(Array.ConvertAll(Positions[firstRow..(firstRow + samples.Length)], p => (long)p), device: logits.device);
            LogLikelihoods.index_copy_(0, places, likelihoods);
        }
    }
}
