namespace ElectraPipeline.Training.Model;

/// <summary>The model's sizes: a preset, and whatever of it the user changes.</summary>
public sealed record ModelOptions
{
    /// <summary>"tiny" (the demo's), "small", "base" or "large": the table of ELECTRA section 3 and appendix A.</summary>
    public string Preset { get; init; } = "small";

    /// <summary>Transformer layers; null: the preset's.</summary>
    public int? Layers { get; init; }

    /// <summary>Width of the discriminator's encoder; null: the preset's.</summary>
    public int? HiddenSize { get; init; }

    /// <summary>Width of the discriminator's feed-forward layers; null: the preset's.</summary>
    public int? IntermediateSize { get; init; }

    /// <summary>Attention heads; null: the preset's.</summary>
    public int? AttentionHeads { get; init; }

    /// <summary>Width of the shared embeddings; null: the preset's.</summary>
    public int? EmbeddingSize { get; init; }

    /// <summary>
    /// Generator's hidden, feed-forward and head counts as a share of the discriminator's, in (0, 1]; null: the preset's.
    /// </summary>
    public double? GeneratorSize { get; init; }

    /// <summary>Generator's layers as a share of the discriminator's, in (0, 1]; null: the preset's.</summary>
    public double? GeneratorLayers { get; init; }

    /// <summary>
    /// Generator and discriminator are one encoder with two heads (ELECTRA section 3.2, "tying all encoder weights"); needs a generator
    /// of the discriminator's size. Null: the preset's (only the embeddings are shared).
    /// </summary>
    public bool? TieEncoders { get; init; }

    /// <summary>
    /// "tied": the generator uses the main encoder's embeddings and both losses move them (official). "untied": the generator has its own,
    /// as wide as its hidden states (official <c>untied_generator_embeddings</c>). "disentangled": the main encoder's tables are the
    /// generator's, without gradient, plus a difference that starts at zero, so that detection does not pull at the generator
    /// (DeBERTaV3, He et al. 2021, section 3.3); each has its own layer norm. Null: "tied".
    /// </summary>
    public string? EmbeddingSharing { get; init; }

    /// <summary>
    /// "learned": the objective's generator network. "uniform": no network, replacements are drawn uniformly from the vocabulary. Null:
    /// "learned".
    /// </summary>
    public string? Generator { get; init; }

    /// <summary>Longest sequence the position embeddings allow, in tokens; null: the preset's (512).</summary>
    public int? MaxPositions { get; init; }

    /// <summary>Dropout of embeddings and sub-layers, in [0, 1); null: the preset's (0.1).</summary>
    public double? HiddenDropout { get; init; }

    /// <summary>Dropout of attention probabilities, in [0, 1); null: the preset's (0.1).</summary>
    public double? AttentionDropout { get; init; }

    /// <summary>
    /// "normal": truncated normal 0.02 (official); "scaled": Glorot-scaled to the width, positions started as sinusoids, which lets
    /// narrow models learn early. Null: the preset's.
    /// </summary>
    public string? Initialization { get; init; }
}
