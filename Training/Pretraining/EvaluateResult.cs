namespace ElectraPipeline.Training.Pretraining;

/// <summary>What a model knows of held-out text; null: the model has no such part. Losses and entropy in nats.</summary>
public sealed record EvaluateResult
{
    /// <summary>Held-out sequences measured.</summary>
    public required int Examples { get; init; }

    /// <summary>Real tokens in them.</summary>
    public required int Tokens { get; init; }

    /// <summary>Entropy of the same text's tokens: the loss of knowing their frequencies alone.</summary>
    public required double UnigramEntropy { get; init; }

    /// <summary>Generator's loss a masked token; a model that has learned is well under <see cref="UnigramEntropy"/>.</summary>
    public double? GeneratorLoss { get; init; }

    /// <summary>Share of masked tokens that the generator holds most likely.</summary>
    public double? GeneratorAccuracy { get; init; }

    /// <summary>Share of masked tokens where the token drawn from the generator is the text's.</summary>
    public double? SampledAccuracy { get; init; }

    /// <summary>Main language model's loss a token that its objective predicts.</summary>
    public double? LanguageModelLoss { get; init; }

    /// <summary>Share of those tokens that it holds most likely.</summary>
    public double? LanguageModelAccuracy { get; init; }

    /// <summary>Discriminator's loss a token that its objective counts.</summary>
    public double? DiscriminatorLoss { get; init; }

    /// <summary>Area under the ROC curve of telling replaced from original tokens; 0.5 is chance.</summary>
    public double? DiscriminatorAuc { get; init; }

    /// <summary>Share of tokens told apart correctly.</summary>
    public double? DiscriminatorAccuracy { get; init; }

    /// <summary>Share of replaced tokens among those detected.</summary>
    public double? DiscriminatorPrecision { get; init; }

    /// <summary>Share of detected tokens among those replaced.</summary>
    public double? DiscriminatorRecall { get; init; }

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double? DiscriminatorF1 { get; init; }

    /// <summary>Share of tokens that were replaced.</summary>
    public double? ReplacedShare { get; init; }

    /// <summary>The figures there are, under the names they are stored by.</summary>
    public IReadOnlyList<(string Name, double Value)> Metrics() =>
        [
            .. from metric in new (string Name, double? Value)[]
            {
                ("heldout/generator_loss", GeneratorLoss),
                ("heldout/unigram_entropy", UnigramEntropy),
                ("heldout/generator_accuracy", GeneratorAccuracy),
                ("heldout/sampled_accuracy", SampledAccuracy),
                ("heldout/language_model_loss", LanguageModelLoss),
                ("heldout/language_model_accuracy", LanguageModelAccuracy),
                ("heldout/discriminator_loss", DiscriminatorLoss),
                ("heldout/discriminator_auc", DiscriminatorAuc),
                ("heldout/discriminator_accuracy", DiscriminatorAccuracy),
                ("heldout/discriminator_precision", DiscriminatorPrecision),
                ("heldout/discriminator_recall", DiscriminatorRecall),
                ("heldout/discriminator_f1", DiscriminatorF1),
                ("heldout/replaced_share", ReplacedShare),
            }
            where metric.Value is not null
            select (metric.Name, metric.Value!.Value),
        ];
}
