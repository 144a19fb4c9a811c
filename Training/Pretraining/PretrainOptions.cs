using ElectraPipeline.Training.Objective;
using static TorchSharp.torch;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>How a model is pre-trained. Defaults: ELECTRA-small, appendix A of the paper.</summary>
public sealed record PretrainOptions
{
    /// <summary>
    /// What is learned: "electra"; "mlm", a plain masked language model (BERT without its next-sentence task); "electric", an energy of
    /// each token in its context by noise-contrastive estimation; or the ablations of ELECTRA section 3.3: "electra-15" (detection at the
    /// masked tokens only), "replace-mlm" (a masked language model that sees the generator's guesses instead of [MASK]), "all-tokens-mlm"
    /// (which predicts every token, with a copy mechanism).
    /// </summary>
    public string Objective { get; init; } = PretrainingObjectives.Electra;

    /// <summary>Optimizer steps.</summary>
    public int Steps { get; init; } = 1_000_000;

    /// <summary>Sequences a step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Sequences whose gradients are computed at once; a step accumulates BatchSize / MicroBatchSize of them.</summary>
    public int MicroBatchSize { get; init; } = 32;

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 5e-4;

    /// <summary>Steps of linear warm-up.</summary>
    public int WarmupSteps { get; init; } = 10_000;

    /// <summary>Decoupled weight decay on all but biases and layer norms.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Adam's beta 1.</summary>
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>Adam's beta 2.</summary>
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Adam's epsilon, added outside the root.</summary>
    public double AdamEpsilon { get; init; } = 1e-6;

    /// <summary>Global gradient norm above which gradients are scaled down.</summary>
    public double ClipNorm { get; init; } = 1.0;

    /// <summary>Share of tokens masked, in (0, 1).</summary>
    public double MaskProbability { get; init; } = 0.15;

    /// <summary>
    /// Share of the masked positions that become [MASK]; what is left of them after <see cref="MaskRandomProbability"/> stays as it is.
    /// Null: 0.85 (ELECTRA's), for "mlm" 0.8 (BERT's).
    /// </summary>
    public double? MaskReplaceProbability { get; init; }

    /// <summary>Share of the masked positions that become a random token. Null: 0, for "mlm" 0.1 (BERT's).</summary>
    public double? MaskRandomProbability { get; init; }

    /// <summary>Draw masked positions with replacement, as the official code does (7 % are then drawn twice).</summary>
    public bool MaskWithReplacement { get; init; }

    /// <summary>Weight of the generator's loss.</summary>
    public double GeneratorWeight { get; init; } = 1.0;

    /// <summary>Weight of a detection loss (ELECTRA section 3.1: 50); a main language model's loss has weight 1.</summary>
    public double DiscriminatorWeight { get; init; } = 50.0;

    /// <summary>Temperature of the generator's sampling.</summary>
    public double Temperature { get; init; } = 1.0;

    /// <summary>Sample only wrong tokens, so that every masked position is a replacement.</summary>
    public bool DisallowCorrect { get; init; }

    /// <summary>
    /// Keep only layers' inputs and compute the rest again in the backward pass: less memory, a third more time, the same result.
    /// Electric's two-tower generator is kept whole.
    /// </summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Parts of the training, in order, with settings of their own; null: one.</summary>
    public IReadOnlyList<PretrainPhase>? Phases { get; init; }

    /// <summary>
    /// Where first values come from instead of being drawn: a checkpoint of a run (folder of one or of several; Adam's moments come too),
    /// a model that was exported or imported, or a Hugging Face folder. Steps and learning rate start anew. Null: drawn from the seed.
    /// </summary>
    public string? InitializeFrom { get; init; }

    /// <summary>Steps between checkpoints.</summary>
    public int CheckpointSteps { get; init; } = 1_000;

    /// <summary>Checkpoints kept while the stage runs.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Steps between evaluations on held-out text; 0: only at the end.</summary>
    public int EvaluateSteps { get; init; } = 1_000;

    /// <summary>Steps between points of the training curves.</summary>
    public int LogSteps { get; init; } = 20;

    /// <summary>"auto", "cpu" or "cuda".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>
    /// What matrix products are computed in: "float32", or "bfloat16", which is for CUDA (slower on most CPUs); parameters, optimizer,
    /// layer
    /// norms, softmaxes and losses are float32 either way.
    /// </summary>
    public string Precision { get; init; } = "float32";

    /// <summary>
    /// Model replicas of one thread each on the CPU, their gradients summed in replica order; part of the result, like a seed.
    /// 0: one per core at the time the run starts, written into the resolved config.
    /// </summary>
    public int Replicas { get; init; } = 1;

    /// <summary><see cref="Precision"/> as LibTorch names it.</summary>
    internal ScalarType ProductType =>
        Precision switch
        {
            "float32" => ScalarType.Float32,
            "bfloat16" => ScalarType.BFloat16,
            _ => throw new PermanentException($"pretrain: Precision is \"{Precision}\"; use \"float32\" or \"bfloat16\""),
        };

    /// <summary>How positions are masked.</summary>
    internal DynamicMasking Masking(SpecialIds ids, int vocabularySize)
    {
        (double mask, double random) = PretrainingObjectives.SharesOf(Objective);
        var shares = new MaskShares(MaskReplaceProbability ?? mask, MaskRandomProbability ?? random, vocabularySize);
        return new DynamicMasking(ids, MaskProbability, shares, MaskWithReplacement);
    }

    /// <summary>What the objective needs to know.</summary>
    internal ObjectiveSettings Settings(SpecialIds ids) =>
        new()
        {
            GeneratorWeight = GeneratorWeight,
            DiscriminatorWeight = DiscriminatorWeight,
            MaskProbability = MaskProbability,
            Ids = ids,
            Recompute = GradientCheckpointing,
        };

    /// <summary>Throws where options contradict each other.</summary>
    /// <exception cref="PermanentException">The message names them and what to change.</exception>
    public void Validate()
    {
        (double mask, double random) = PretrainingObjectives.SharesOf(Objective);
        if ((MaskReplaceProbability ?? mask) + (MaskRandomProbability ?? random) is var sum and not (>= 0 and <= 1))
        {
            throw new PermanentException(
                $"pretrain: MaskReplaceProbability and MaskRandomProbability are {sum} together; they must be in [0, 1]"
            );
        }

        if (Objective == "electric" && (Temperature != 1 || DisallowCorrect))
        {
            throw new PermanentException(
                "pretrain: objective \"electric\" needs to know how likely each noise token was: "
                    + "leave Temperature at 1 and DisallowCorrect off"
            );
        }
    }
}
