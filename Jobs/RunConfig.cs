using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Jobs;

/// <summary>Everything a run depends on but the bytes it reads. Stored resolved (paths absolute, presets kept by name) with the run.</summary>
public sealed record RunConfig
{
    /// <summary>Name of the dataset and of the model whose versions the run makes: lower-case letters, digits, '-'.</summary>
    public required string Name { get; init; }

    /// <summary>Seed of every random draw.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>The text.</summary>
    public required CorpusOptions Corpus { get; init; }

    /// <summary>The WordPiece vocabulary.</summary>
    public VocabularyOptions Vocabulary { get; init; } = new();

    /// <summary>The examples.</summary>
    public ExampleOptions Examples { get; init; } = new();

    /// <summary>Other datasets' examples, mixed in by weight.</summary>
    public MixtureOptions Mixture { get; init; } = new();

    /// <summary>The model's sizes.</summary>
    public ModelOptions Model { get; init; } = new();

    /// <summary>Pre-training.</summary>
    public PretrainOptions Pretrain { get; init; } = new();

    /// <summary>Held-out evaluation.</summary>
    public EvaluateOptions Evaluate { get; init; } = new();

    /// <summary>Fine-tuning tasks, a stage each.</summary>
    public IReadOnlyList<FinetuneOptions> Finetune { get; init; } = [];
}
