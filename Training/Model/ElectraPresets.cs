namespace ElectraPipeline.Training.Model;

/// <summary>The model sizes of the ELECTRA paper (appendix A, table 6), and one small enough to learn on two cores in minutes.</summary>
public static class ElectraPresets
{
    private sealed record Preset(
        int Layers,
        int Hidden,
        int Intermediate,
        int Heads,
        int Embedding,
        double GeneratorSize,
        double Dropout,
        string Initialization
    );

    // "tiny" is ours. Its two layers and initialization leave the unigram loss within 200 steps of 32 x 64 tokens at learning rate 5e-4;
    // with four layers the loss was still there after 800 steps at 1e-3 and after 400 at 5e-4.
    private static readonly Dictionary<string, Preset> Presets = new(StringComparer.Ordinal)
    {
        ["tiny"] = new(2, 128, 512, 4, 128, 0.5, 0, "scaled"),
        ["small"] = new(12, 256, 1_024, 4, 128, 1 / 4.0, 0.1, "normal"),
        ["base"] = new(12, 768, 3_072, 12, 768, 1 / 3.0, 0.1, "normal"),
        ["large"] = new(24, 1_024, 4_096, 16, 1_024, 1 / 4.0, 0.1, "normal"),
    };

    /// <summary>Names of the presets.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Presets.Keys];

    /// <summary>All sizes, the preset's where the options leave them open.</summary>
    /// <param name="options">What the user says.</param>
    /// <param name="vocabularySize">Tokens of the vocabulary.</param>
    /// <param name="parts">The networks that the objective trains; null: ELECTRA's.</param>
    /// <exception cref="PermanentException">The preset is unknown or the sizes do not fit together.</exception>
    public static ElectraConfig Resolve(this ModelOptions options, int vocabularySize, ModelParts? parts = null)
    {
        if (!Presets.TryGetValue(options.Preset, out Preset? preset))
        {
            throw new PermanentException($"model: preset \"{options.Preset}\" is unknown; the presets are {string.Join(", ", Names)}");
        }

        var discriminator = new EncoderConfig
        {
            Layers = options.Layers ?? preset.Layers,
            HiddenSize = options.HiddenSize ?? preset.Hidden,
            IntermediateSize = options.IntermediateSize ?? preset.Intermediate,
            AttentionHeads = options.AttentionHeads ?? preset.Heads,
        };
        double size = RequireShare(options.GeneratorSize ?? preset.GeneratorSize, nameof(options.GeneratorSize));
        double depth = RequireShare(options.GeneratorLayers ?? 1, nameof(options.GeneratorLayers));
        var generator = new EncoderConfig
        {
            Layers = Scale(discriminator.Layers, depth),
            HiddenSize = Scale(discriminator.HiddenSize, size),
            IntermediateSize = Scale(discriminator.IntermediateSize, size),
            AttentionHeads = Scale(discriminator.AttentionHeads, size),
        };
        string sharing = options.EmbeddingSharing ?? ElectraConfig.TiedEmbeddings;
        var config = new ElectraConfig
        {
            VocabularySize = vocabularySize,
            EmbeddingSize = options.EmbeddingSize ?? preset.Embedding,
            GeneratorEmbeddingSize = sharing == ElectraConfig.UntiedEmbeddings ? generator.HiddenSize : null,
            EmbeddingSharing = sharing,
            MaxPositions = options.MaxPositions ?? 512,
            Parts = PartsOf(options, parts ?? ModelParts.Electra),
            Discriminator = discriminator,
            Generator = generator,
            TieEncoders = options.TieEncoders ?? false,
            HiddenDropout = options.HiddenDropout ?? preset.Dropout,
            AttentionDropout = options.AttentionDropout ?? preset.Dropout,
            Initialization = options.Initialization ?? preset.Initialization,
        };
        config.Validate();
        return config;
    }

    private static ModelParts PartsOf(ModelOptions options, ModelParts parts) =>
        options.Generator switch
        {
            null or "learned" => parts,
            "uniform" when parts.Generator == ModelParts.MaskedGenerator => parts with { Generator = ModelParts.NoGenerator },
            "uniform" => throw new PermanentException(
                "model: Generator is \"uniform\", but the objective replaces no tokens or needs its own generator"
            ),
            _ => throw new PermanentException($"model: Generator is \"{options.Generator}\"; use \"learned\" or \"uniform\""),
        };

    private static int Scale(int size, double share) => Math.Max(1, (int)Math.Round(size * share, MidpointRounding.AwayFromZero));

    private static double RequireShare(double value, string name) =>
        value is > 0 and <= 1 ? value : throw new PermanentException($"model: {name} is {value}; it must be in (0, 1]");
}
