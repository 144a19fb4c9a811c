namespace ElectraPipeline.Training.Tokenization;

/// <summary>The WordPiece vocabulary: trained on the corpus, or given.</summary>
public sealed record VocabularyOptions
{
    /// <summary>A vocab.txt to use as it is, relative to the config file; null: train one.</summary>
    public string? Path { get; init; }

    /// <summary>Tokens, specials included.</summary>
    public int Size { get; init; } = 30_522;

    /// <summary>Pairs seen less often are not merged.</summary>
    public int MinFrequency { get; init; } = 2;

    /// <summary>Most frequent characters kept; 0: all.</summary>
    public int LimitAlphabet { get; init; } = 1_000;

    /// <summary>Lower-case, and strip accents unless <see cref="StripAccents"/> says otherwise.</summary>
    public bool LowerCase { get; init; } = true;

    /// <summary>Null: as <see cref="LowerCase"/>.</summary>
    public bool? StripAccents { get; init; }

    /// <summary>Put spaces around CJK ideographs.</summary>
    public bool TokenizeChineseCharacters { get; init; } = true;

    /// <summary>Longer words, in code points, become [UNK] (Hugging Face 100, official code 200).</summary>
    public int MaxWordLength { get; init; } = 100;
}
