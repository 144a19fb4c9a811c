namespace ElectraPipeline.Training.Pretraining;

/// <summary>What an evaluation reads.</summary>
public sealed record EvaluateRequest
{
    /// <summary>A "model" artifact: discriminator/, generator/, electra.json.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>Folders of shards whose held-out examples are measured, in order.</summary>
    public required IReadOnlyList<string> ShardFolders { get; init; }

    /// <summary>The "vocabulary" artifact that the shards were made with.</summary>
    public required string VocabularyFolder { get; init; }

    /// <summary>How much is measured, and with which seed.</summary>
    public EvaluateOptions Evaluate { get; init; } = new();

    /// <summary>"auto", "cpu" or "cuda".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Threads; they do not change the result.</summary>
    public int Threads { get; init; } = 1;
}
