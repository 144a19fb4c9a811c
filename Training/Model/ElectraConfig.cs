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
    internal const string TiedEmbeddings = "tied";
    internal const string UntiedEmbeddings = "untied";
    internal const string DisentangledEmbeddings = "disentangled";

    /// <summary>Tokens V of the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width E of the embeddings.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>Width of the generator's embeddings where it has its own; null: <see cref="EmbeddingSize"/>.</summary>
    public int? GeneratorEmbeddingSize { get; init; }

    /// <summary>"tied", "untied" or "disentangled", see <see cref="ModelOptions.EmbeddingSharing"/>.</summary>
    public string EmbeddingSharing { get; init; } = TiedEmbeddings;

    /// <summary>Longest sequence, in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Segments a sequence may have.</summary>
    public int TypeVocabularySize { get; init; } = 2;

    /// <summary>Which networks there are; the objective decides.</summary>
    public ModelParts Parts { get; init; } = ModelParts.Electra;

    /// <summary>The model that corrupts the input; without meaning where there is none.</summary>
    public required EncoderConfig Generator { get; init; }

    /// <summary>The main model, which is kept: ELECTRA's discriminator, or the language model of other objectives.</summary>
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

    /// <summary>Width of the embeddings that the generator uses.</summary>
    internal int EmbeddingSizeOfGenerator => GeneratorEmbeddingSize ?? EmbeddingSize;

    /// <summary>Throws a <see cref="PermanentException"/> that names the first size that cannot be.</summary>
    public void Validate()
    {
        RequirePositive(VocabularySize, nameof(VocabularySize));
        RequirePositive(EmbeddingSize, nameof(EmbeddingSize));
        RequirePositive(MaxPositions, nameof(MaxPositions));
        RequirePositive(TypeVocabularySize, nameof(TypeVocabularySize));
        ValidateEncoder(Discriminator, nameof(Discriminator));
        if (Parts.HasGenerator)
        {
            ValidateEncoder(Generator, nameof(Generator));
        }

        ValidateSharing();
        RequireShare(HiddenDropout, nameof(HiddenDropout));
        RequireShare(AttentionDropout, nameof(AttentionDropout));
        if (Initialization is not ("normal" or "scaled"))
        {
            throw new PermanentException($"model: Initialization is \"{Initialization}\"; use \"normal\" or \"scaled\"");
        }
    }

    private void ValidateSharing()
    {
        if (TieEncoders && (Generator != Discriminator || Parts.Generator != ModelParts.MaskedGenerator))
        {
            throw new PermanentException(
                "model: TieEncoders needs a masked language model of the discriminator's size as generator: set GeneratorSize and "
                    + "GeneratorLayers to 1"
            );
        }

        if (EmbeddingSharing is not (TiedEmbeddings or UntiedEmbeddings or DisentangledEmbeddings))
        {
            throw new PermanentException(
                $"model: EmbeddingSharing is \"{EmbeddingSharing}\"; use \"tied\", \"untied\" or \"disentangled\""
            );
        }

        if (EmbeddingSharing != TiedEmbeddings && (TieEncoders || !Parts.HasGenerator))
        {
            throw new PermanentException(
                $"model: EmbeddingSharing is \"{EmbeddingSharing}\", which needs a generator that is not the main encoder; use \"tied\""
            );
        }

        if (EmbeddingSharing == DisentangledEmbeddings && Parts.Main != ModelParts.Detection)
        {
            throw new PermanentException(
                "model: EmbeddingSharing \"disentangled\" is for a main model that detects; a language model's output needs "
                    + "embeddings of its own: use \"tied\" or \"untied\""
            );
        }

        if (EmbeddingSharing != UntiedEmbeddings && EmbeddingSizeOfGenerator != EmbeddingSize)
        {
            throw new PermanentException(
                $"model: GeneratorEmbeddingSize is {GeneratorEmbeddingSize}; only untied embeddings have a size of their own"
            );
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
                    + "the heads must divide the hidden size"
            );
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
