namespace ElectraPipeline.Training.Tokenization;

/// <summary>How text becomes words before they are looked up. Stored beside every vocabulary, as ids mean nothing without it.</summary>
public sealed record TokenizerOptions
{
    /// <summary>Lower-case every character by itself (no final sigma), as BERT's uncased models do.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>Decompose characters and drop non-spacing marks (é to e); null: as <see cref="LowerCase"/>.</summary>
    public bool? StripAccents { get; init; }

    /// <summary>Make every CJK ideograph a word of its own.</summary>
    public bool TokenizeChineseCharacters { get; init; } = true;

    /// <summary>Longer words become [UNK]; in code points after normalization, at least 1 (Hugging Face 100, official code 200).</summary>
    public int MaxWordLength { get; init; } = 100;

    /// <summary>
    /// Text that spells a special token ("[MASK]") yields that token's id. False, the default, splits it like any text, which is right
    /// for text from strangers.
    /// </summary>
    public bool SpecialTokensInText { get; init; }

    /// <summary>Whether accents go, the default resolved.</summary>
    internal bool RemovesAccents => StripAccents ?? LowerCase;

    /// <summary>The tokenizer that a run's vocabulary options describe.</summary>
    public static TokenizerOptions From(VocabularyOptions options) =>
        new()
        {
            LowerCase = options.LowerCase,
            StripAccents = options.StripAccents,
            TokenizeChineseCharacters = options.TokenizeChineseCharacters,
            MaxWordLength = options.MaxWordLength,
        };

    /// <summary>Throws where a value is out of range.</summary>
    /// <exception cref="PermanentException"><see cref="MaxWordLength"/> is below 1.</exception>
    internal TokenizerOptions Validated() =>
        MaxWordLength >= 1
            ? this
            : throw new PermanentException(
                $"MaxWordLength is {MaxWordLength}; it must be at least 1 (Hugging Face uses 100, the official code 200)"
            );
}
