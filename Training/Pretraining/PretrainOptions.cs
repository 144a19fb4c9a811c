namespace ElectraPipeline.Training.Pretraining;

/// <summary>How generator and discriminator are pre-trained together. Defaults: ELECTRA-small, appendix A of the paper.</summary>
public sealed record PretrainOptions
{
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

    /// <summary>Share of the masked positions that become [MASK]; the rest stay as they are.</summary>
    public double MaskReplaceProbability { get; init; } = 0.85;

    /// <summary>Draw masked positions with replacement, as the official code does (7 % are then drawn twice).</summary>
    public bool MaskWithReplacement { get; init; }

    /// <summary>Weight of the generator's loss.</summary>
    public double GeneratorWeight { get; init; } = 1.0;

    /// <summary>Weight of the discriminator's loss (ELECTRA section 3.1: 50).</summary>
    public double DiscriminatorWeight { get; init; } = 50.0;

    /// <summary>Temperature of the generator's sampling.</summary>
    public double Temperature { get; init; } = 1.0;

    /// <summary>Sample only wrong tokens, so that every masked position is a replacement.</summary>
    public bool DisallowCorrect { get; init; }

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
    /// Model replicas of one thread each on the CPU, their gradients summed in replica order; part of the result, like a seed.
    /// 0: one per core at the time the run starts, written into the resolved config.
    /// </summary>
    public int Replicas { get; init; } = 1;
}
