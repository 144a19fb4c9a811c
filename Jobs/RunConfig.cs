using ElectraPipeline.Jobs.Configuration;
using ElectraPipeline.Training.Corpus;
using ElectraPipeline.Training.Finetuning;
using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Pretraining;
using ElectraPipeline.Training.Shards;
using ElectraPipeline.Training.Tokenization;

namespace ElectraPipeline.Jobs;

/// <summary>
/// Everything a run depends on but the bytes it reads. Stored resolved (paths absolute, presets kept by name) with the run.
/// </summary>
public sealed record RunConfig
{
    /// <summary>Name of the dataset and of the model whose versions the run makes: lower-case letters, digits, '-'.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// "official-small", "official-base" or "official-large": what the official code does, its known faults included, where this config
    /// says nothing else. Null: the defaults below, without those faults.
    /// </summary>
    public string? Preset { get; init; }

    /// <summary>Seed of every random draw.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Of the ready stages of all runs those of the greater priority are begun first: -100 to 100.</summary>
    public int Priority { get; init; }

    /// <summary>How often and how long stages may try, and what they need, where it shall be other than usual.</summary>
    public IReadOnlyList<StageLimits> Limits { get; init; } = [];

    /// <summary>
    /// A registered model that fine-tuning starts from, trained or imported: "NAME@3", "NAME@champion" or "NAME" (the latest). The run then
    /// only fine-tunes: it reads no corpus and pre-trains nothing. Null: the run pre-trains its own.
    /// </summary>
    public string? From { get; init; }

    /// <summary>The text; needed unless <see cref="From"/> is given.</summary>
    public CorpusOptions Corpus { get; init; } = new() { Paths = [] };

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

    /// <summary>
    /// Where the files above may lie. Found out when a config is read, never written in one. Null: stored before this was kept, or made
    /// by a program.
    /// </summary>
    public InputRule? Inputs { get; init; }

    /// <summary>The limits of a kind of stage: those given, or the usual ones.</summary>
    public StageLimits LimitsOf(string stage) =>
        Limits.FirstOrDefault(limits => limits.Stage == stage) ?? new StageLimits { Stage = stage };
}
