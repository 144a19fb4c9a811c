namespace ElectraPipeline.Training.Pretraining;

/// <summary>What a model knows of held-out text. Losses and entropy in nats.</summary>
public sealed record EvaluateResult
{
    /// <summary>Held-out sequences measured.</summary>
    public required int Examples { get; init; }

    /// <summary>Real tokens in them.</summary>
    public required int Tokens { get; init; }

    /// <summary>Generator's loss a masked token; a model that has learned is well under <see cref="UnigramEntropy"/>.</summary>
    public required double GeneratorLoss { get; init; }

    /// <summary>Share of masked tokens that the generator holds most likely.</summary>
    public required double GeneratorAccuracy { get; init; }

    /// <summary>Entropy of the same text's tokens: the loss of knowing their frequencies alone.</summary>
    public required double UnigramEntropy { get; init; }

    /// <summary>Discriminator's loss a real token.</summary>
    public required double DiscriminatorLoss { get; init; }

    /// <summary>Area under the ROC curve of telling replaced from original tokens; 0.5 is chance.</summary>
    public required double DiscriminatorAuc { get; init; }

    /// <summary>Share of tokens told apart correctly.</summary>
    public required double DiscriminatorAccuracy { get; init; }

    /// <summary>Share of replaced tokens among those detected.</summary>
    public required double DiscriminatorPrecision { get; init; }

    /// <summary>Share of detected tokens among those replaced.</summary>
    public required double DiscriminatorRecall { get; init; }

    /// <summary>Harmonic mean of precision and recall.</summary>
    public required double DiscriminatorF1 { get; init; }

    /// <summary>Share of tokens that were replaced.</summary>
    public required double ReplacedShare { get; init; }

    /// <summary>The figures under the names they are stored by.</summary>
    public IReadOnlyList<(string Name, double Value)> Metrics() =>
    [
        ("heldout/generator_loss", GeneratorLoss),
        ("heldout/unigram_entropy", UnigramEntropy),
        ("heldout/generator_accuracy", GeneratorAccuracy),
        ("heldout/discriminator_loss", DiscriminatorLoss),
        ("heldout/discriminator_auc", DiscriminatorAuc),
        ("heldout/discriminator_accuracy", DiscriminatorAccuracy),
        ("heldout/discriminator_precision", DiscriminatorPrecision),
        ("heldout/discriminator_recall", DiscriminatorRecall),
        ("heldout/discriminator_f1", DiscriminatorF1),
        ("heldout/replaced_share", ReplacedShare),
    ];
}
