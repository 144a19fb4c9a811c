using ElectraPipeline.Training.Model;
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
internal sealed class ElectricObjective(ElectraPretrainingModel model, ObjectiveSettings? settings = null)
    : PretrainingObjective(model, settings)
{
    /// <inheritdoc/>
    public override LossScale ScaleOf(MaskedBatch step) =>
        LossScale.For(
            step.RealPositions().Count(p => IsCandidate(step, p)),
            step.Tokens,
            Settings.GeneratorWeight,
            Settings.DiscriminatorWeight
        );

    /// <inheritdoc/>
    protected override PendingSums Run(
        DeviceBatch batch,
        ITokenSampler sampler,
        LossScale? scale,
        DropoutStream? dropout,
        Action<float, bool>? detected
    )
    {
        EncoderInput text = batch.Masked.WithIds(batch.OriginalIds);
        var noise = new NoiseDraws(sampler, batch);
        (LanguageModelLoss generator, int candidates) = Generate(batch, text, noise, scale?.Generator, dropout);
        EncoderPass pass = Model.Main.Run(text.WithIds(noise.Ids), dropout, Settings.Recompute);
        double share = Settings.MaskProbability;
        Tensor logits = Model.DetectionHead.Forward(pass.Hidden).Plus(noise.LogLikelihoods).Plus(Math.Log(share / (1 - share)));
        Tensor drawn = Upload.Floats(batch.Host.OneAt(batch.Host.Positions), Device);
        Tensor loss = ElectraLoss.Detect(logits, drawn, batch.Real, scale?.Main, detected, Clock);
        Backward(pass);
        var counted = ObjectiveSums.Counted(batch.Host, candidates, batch.Host.Tokens);
        return PendingSums.Of(counted, new MainLoss(loss), generator, noise.Ids.not_equal(batch.OriginalIds).sum(ScalarType.Float64));
    }

    private bool IsCandidate(MaskedBatch batch, int position) => !Settings.Ids.Contains(batch.OriginalIds[position]);

    /// <summary>
    /// The cloze model's loss at all tokens but special ones; what it draws and how likely it holds it goes to the noise.
    /// </summary>
    private (LanguageModelLoss Loss, int Candidates) Generate(
        DeviceBatch batch,
        EncoderInput text,
        NoiseDraws noise,
        double? scale,
        DropoutStream? dropout
    )
    {
        using var scope = NewDisposeScope();
        using StepClock.Section generator = Clock.Enter(StepPart.Generator);
        float[] counted = Array.ConvertAll(noise.Positions, position => IsCandidate(batch.Host, position) ? 1f : 0f);
        Tensor weights = Upload.Floats(counted, Device),
            places = Upload.Longs(noise.Positions, Device);
        LanguageModelLoss loss = Predict(
            Model.GeneratorHead,
            Model.Towers.Forward(text, dropout).index_select(0, places),
            new LanguageModelTargets(batch.OriginalIds.index_select(0, places), scale, noise, Candidates)
        );
        return (loss.MoveToOuterDisposeScope(), counted.Count(weight => weight == 1));

        (Tensor Sum, Tensor Weights) Candidates(int firstRow, Tensor logLikelihoods)
        {
            Tensor part = weights.narrow(0, firstRow, logLikelihoods.shape[0]);
            return (-(logLikelihoods * part).sum(ScalarType.Float64), part);
        }
    }

    /// <summary>Draws noise at the chosen positions only, and keeps log q of the token that each position ends up with.</summary>
    private sealed class NoiseDraws : ITokenSampler
    {
        private readonly ITokenSampler inner;
        private readonly Dictionary<int, int> drawOf = [];

        public NoiseDraws(ITokenSampler inner, DeviceBatch batch)
        {
            this.inner = inner;
            Positions = batch.Host.RealPositions();
            LogLikelihoods = zeros_like(batch.Real);
            Ids = batch.OriginalIds.clone();
            for (int i = 0; i < batch.Host.Positions.Length; i++)
            {
                drawOf.TryAdd(batch.Host.Positions[i], i);
            }
        }

        /// <summary>All real tokens as indices into [B * L]: the cloze model's rows.</summary>
        public int[] Positions { get; }

        /// <summary>log q, [B * L]; 0 at padding.</summary>
        public Tensor LogLikelihoods { get; }

        /// <summary>The text with noise, int64 [B * L].</summary>
        public Tensor Ids { get; }

        public Tensor Sample(Tensor logits, Tensor probabilities, int[] positions)
        {
            using var scope = NewDisposeScope();
            int[] own = Array.ConvertAll(positions, position => Positions[position]);
            Tensor places = Upload.Longs(own, logits.device),
                samples = Ids.index_select(0, places);
            int[] rows = [.. Enumerable.Range(0, own.Length).Where(row => drawOf.ContainsKey(own[row]))];
            if (rows.Length > 0)
            {
                Tensor chosen = Upload.Longs(rows, logits.device);
                int[] draws = Array.ConvertAll(rows, row => drawOf[own[row]]);
                samples.index_copy_(0, chosen, inner.Sample(logits.index_select(0, chosen), probabilities.index_select(0, chosen), draws));
            }

            Ids.index_copy_(0, places, samples);
            LogLikelihoods.index_copy_(0, places, logits.gather(1, samples.unsqueeze(1)).squeeze(1) - logits.logsumexp(1));
            return samples.MoveToOuterDisposeScope();
        }
    }
}
