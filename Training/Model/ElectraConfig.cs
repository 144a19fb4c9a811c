namespace ElectraPipeline.Training.Model;

/// <summary>Sizes of one Transformer encoder.</summary>
public sealed record EncoderConfig
{
    /// <summary>Transformer layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Width H of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the feed-forward layers.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Attention heads; divides <see cref="HiddenSize"/>.</summary>
    public required int AttentionHeads { get; init; }
}

/// <summary>Every size of an ELECTRA model, presets resolved. Stored with each checkpoint and exported model.</summary>
public sealed record ElectraConfig
{
    /// <summary>Tokens V of the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width E of the embeddings, which generator and discriminator share.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>Longest sequence, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Segments a sequence may have.</summary>
    public int TypeVocabularySize { get; init; } = 2;

    /// <summary>The masked language model that corrupts the input.</summary>
    public required EncoderConfig Generator { get; init; }

    /// <summary>The model that is kept: it tells original from replaced tokens.</summary>
    public required EncoderConfig Discriminator { get; init; }

    /// <summary>Whether both models are one encoder; their sizes must be equal then.</summary>
    public bool TieEncoders { get; init; }

    /// <summary>Dropout of embeddings and sub-layers, in [0, 1).</summary>
    public double HiddenDropout { get; init; } = 0.1;

    /// <summary>Dropout of attention probabilities, in [0, 1).</summary>
    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>"normal" or "scaled", see <see cref="ModelOptions.Initialization"/>.</summary>
    public string Initialization { get; init; } = "normal";

    /// <summary>Standard deviation of the truncated normal of "normal" initialization.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Epsilon of every layer norm.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-12;

    /// <summary>Throws a <see cref="PermanentException"/> that names the first size that cannot be.</summary>
    public void Validate()
    {
        RequirePositive(VocabularySize, nameof(VocabularySize));
        RequirePositive(EmbeddingSize, nameof(EmbeddingSize));
        RequirePositive(MaxPositions, nameof(MaxPositions));
        RequirePositive(TypeVocabularySize, nameof(TypeVocabularySize));
        ValidateEncoder(Discriminator, nameof(Discriminator));
        ValidateEncoder(Generator, nameof(Generator));
        if (TieEncoders && Generator != Discriminator)
        {
            throw new PermanentException("model: TieEncoders needs a generator of the discriminator's size: set GeneratorSize and GeneratorLayers to 1");
        }

        RequireShare(HiddenDropout, nameof(HiddenDropout));
        RequireShare(AttentionDropout, nameof(AttentionDropout));
        if (Initialization is not ("normal" or "scaled"))
        {
            throw new PermanentException($"model: Initialization is \"{Initialization}\"; use \"normal\" or \"scaled\"");
        }
    }

    private static void ValidateEncoder(EncoderConfig encoder, string name)
    {
        RequirePositive(encoder.Layers, $"{name}.{nameof(encoder.Layers)}");
        RequirePositive(encoder.HiddenSize, $"{name}.{nameof(encoder.HiddenSize)}");
        RequirePositive(encoder.IntermediateSize, $"{name}.{nameof(encoder.IntermediateSize)}");
        RequirePositive(encoder.AttentionHeads, $"{name}.{nameof(encoder.AttentionHeads)}");
        if (encoder.HiddenSize % encoder.AttentionHeads != 0)
        {
            throw new PermanentException(
                $"model: {name} has hidden size {encoder.HiddenSize} and {encoder.AttentionHeads} attention heads; "
                + "the heads must divide the hidden size");
        }
    }

    private static void RequirePositive(int value, string name)
    {
        if (value <= 0)
        {
            throw new PermanentException($"model: {name} is {value}; it must be at least 1");
        }
    }

    private static void RequireShare(double value, string name)
    {
        if (value is not (>= 0 and < 1))
        {
            throw new PermanentException($"model: {name} is {value}; it must be in [0, 1)");
        }
    }
}
