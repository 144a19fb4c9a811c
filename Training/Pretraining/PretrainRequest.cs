using ElectraPipeline.Training.Model;
using ElectraPipeline.Training.Shards;

namespace ElectraPipeline.Training.Pretraining;

/// <summary>What pre-training reads and where it writes.</summary>
public sealed record PretrainRequest
{
    /// <summary>The model's sizes.</summary>
    public required ModelOptions Model { get; init; }

    /// <summary>How it is trained.</summary>
    public required PretrainOptions Pretrain { get; init; }

    /// <summary>How it is measured.</summary>
    public required EvaluateOptions Evaluate { get; init; }

    /// <summary>Seed of every random draw but the evaluation's.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Folders of shards, in order.</summary>
    public required IReadOnlyList<string> ShardFolders { get; init; }

    /// <summary>Shards of other datasets to draw from too.</summary>
    public MixtureOptions Mixture { get; init; } = new();

    /// <summary>Digests that these must have, in their order; null: any. See <see cref="ExampleMixture.DigestOf"/>.</summary>
    public IReadOnlyList<string>? MixtureDigests { get; init; }

    /// <summary>Digest that the folder of the first weights must have; null: any. See <see cref="CheckedFile.DigestOfFolder"/>.</summary>
    public string? InitializeFromDigest { get; init; }

    /// <summary>The "vocabulary" artifact that the shards were made with.</summary>
    public required string VocabularyFolder { get; init; }

    /// <summary>Receives the model: discriminator/, generator/, electra.json.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>Holds checkpoints while they are not handed over.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>A checkpoint, or a folder of checkpoints of which the newest whole one counts; null: start at step 0.</summary>
    public string? ResumeFrom { get; init; }
}

/// <summary>What pre-training came to.</summary>
/// <param name="Steps">Optimizer steps done in all.</param>
/// <param name="ResumedFrom">The step this attempt went on from; 0: the start.</param>
/// <param name="HeldOut">The last evaluation; null where the shards hold no held-out text.</param>
/// <param name="Parameters">Parameters of both models, shared ones once.</param>
public sealed record PretrainResult(long Steps, long ResumedFrom, EvaluateResult? HeldOut, long Parameters);
