namespace ElectraPipeline.Training.Finetuning;

/// <summary>What fine-tuning reads and where it writes.</summary>
public sealed record FinetuneRequest
{
    /// <summary>The "model" artifact, or a Hugging Face folder of any ELECTRA class, whose head is then not used.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>The "vocabulary" artifact that the model was trained with; null: the tokenizer that lies beside the model.</summary>
    public string? VocabularyFolder { get; init; }

    /// <summary>The task.</summary>
    public required FinetuneOptions Options { get; init; }

    /// <summary>What relative paths in the options start from; empty: the current folder.</summary>
    public string ConfigFolder { get; init; } = "";

    /// <summary>SHA-256 that the files of the options must have, lower-case hex by whole path; null: any.</summary>
    public IReadOnlyDictionary<string, string>? Digests { get; init; }

    /// <summary>Receives the classifier as a Hugging Face folder, and results.json.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>Holds checkpoints while they are not handed over.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>A checkpoint, or a folder of checkpoints of which the newest whole one counts; null: start at step 0.</summary>
    public string? ResumeFrom { get; init; }

    /// <summary>"auto", "cpu" or "cuda".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The run's seed; with a training's own seed it selects every random draw.</summary>
    public required ulong Seed { get; init; }
}
