using System.Text.Json;

namespace ElectraPipeline.Training.Checkpoints;

/// <summary>What a checkpoint says beside its tensors (<c>state.json</c>).</summary>
public sealed record CheckpointState
{
    /// <summary>The version this code writes, and the only one it reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The file's format.</summary>
    public int FormatVersion { get; init; } = CurrentVersion;

    /// <summary>What was being trained: "pretrain" or "finetune". A checkpoint of the one is no start for the other.</summary>
    public required string Kind { get; init; }

    /// <summary>Optimizer steps done.</summary>
    public required long Step { get; init; }

    /// <summary>Examples (sequences) consumed: where the sampler goes on.</summary>
    public required long DataPosition { get; init; }

    /// <summary>The run's seed; every random draw is a function of it and the step.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The resolved configuration that the tensors belong to.</summary>
    public required JsonElement Config { get; init; }

    /// <summary>What else the trainer needs to go on, such as results so far; null: nothing.</summary>
    public JsonElement? Progress { get; init; }

    /// <summary>SHA-256 of <c>state.safetensors</c>, lower-case hexadecimal. Set by the writer.</summary>
    public string TensorDigest { get; init; } = "";
}
