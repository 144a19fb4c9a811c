using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>
/// The main encoder with its heads, and the generator that corrupts its input (ELECTRA, Clark et al. 2020, section 2); other objectives
/// have other heads or no generator, as <see cref="ModelParts"/> says.
/// </summary>
/// <remarks>
/// Parameters are named as Hugging Face names them in the exported models, with the prefix "discriminator." (the main model, whatever
/// its head) or "generator."; what they share, the embeddings or the whole encoder, is stored once, under the first. One instance serves
/// one thread; <see cref="Replica"/> makes another with the same parameters and its own gradients.
/// </remarks>
internal sealed class ElectraPretrainingModel : IDisposable
{
    internal const string GeneratorPrefix = "generator.";
    private const string MainPrefix = "discriminator.";
    private const string EncoderName = "electra";
    private const string EmbeddingsName = EncoderName + ".embeddings";

    /// <summary>Name of the main encoder's word embeddings.</summary>
    internal const string MainWords = MainPrefix + EmbeddingsName + ".word_embeddings.weight";

    private readonly DiscriminatorHead? detectionHead;
    private readonly LanguageModelHead? languageModelHead;
    private readonly ElectraEncoder? generator;
    private readonly TwoTowerEncoder? towers;
    private readonly LanguageModelHead? generatorHead;

    /// <summary>Makes a model with every parameter zero; initialize it or copy parameters in.</summary>
    public ElectraPretrainingModel(ElectraConfig config, Device device, ScalarType productType = ScalarType.Float32)
        : this(config, new ParameterStore(Describe(config), device, productType)) { }

    private ElectraPretrainingModel(ElectraConfig config, ParameterStore parameters)
    {
        Config = config;
        Parameters = parameters;
        ModelParts parts = config.Parts;
        Embeddings? own = IsShared(config)
            ? null
            : new Embeddings(parameters, GeneratorPrefix + EmbeddingsName, config, config.EmbeddingSizeOfGenerator);
        var main = new Embeddings(parameters, MainPrefix + EmbeddingsName, config, source: IsDisentangled(config) ? own : null);
        Main = new ElectraEncoder(parameters, MainPrefix + EncoderName, main, config.Discriminator, config);
        detectionHead = parts.Detects ? new DiscriminatorHead(parameters, MainPrefix) : null;
        languageModelHead = parts.Predicts ? new LanguageModelHead(parameters, MainPrefix, config, main) : null;
        Embeddings generating = own ?? main;
        generator =
            parts.Generator == ModelParts.MaskedGenerator
                ? new ElectraEncoder(parameters, EncoderPrefixOfGenerator(config), generating, config.Generator, config)
                : null;
        towers =
            parts.Generator == ModelParts.TwoTowerGenerator
                ? new TwoTowerEncoder(parameters, GeneratorPrefix, generating, config.Generator, config)
                : null;
        generatorHead = parts.HasGenerator ? new LanguageModelHead(parameters, GeneratorPrefix, config, generating) : null;
    }

    /// <summary>All sizes.</summary>
    public ElectraConfig Config { get; }

    /// <summary>Parameters and gradients.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>The encoder that is kept: ELECTRA's discriminator.</summary>
    public ElectraEncoder Main { get; }

    /// <summary>The main encoder's head for replaced tokens.</summary>
    public DiscriminatorHead DetectionHead => detectionHead ?? throw Missing("detection head");

    /// <summary>The main encoder's head for the tokens themselves.</summary>
    public LanguageModelHead LanguageModelHead => languageModelHead ?? throw Missing("language model head");

    /// <summary>The generator's encoder, a masked language model's.</summary>
    public ElectraEncoder Generator => generator ?? throw Missing("masked language model as generator");

    /// <summary>The generator's encoders, reading from both sides.</summary>
    public TwoTowerEncoder Towers => towers ?? throw Missing("two-tower generator");

    /// <summary>The generator's head.</summary>
    public LanguageModelHead GeneratorHead => generatorHead ?? throw Missing("generator");

    /// <summary>Where the parameters of a model of these sizes lie.</summary>
    public static ParameterLayout Describe(ElectraConfig config)
    {
        config.Validate();
        var layout = new ParameterLayout.Builder();
        Embeddings.Declare(layout, MainPrefix + EmbeddingsName, config, differences: IsDisentangled(config));
        ElectraEncoder.Declare(layout, MainPrefix + EncoderName, config.Discriminator, config);
        if (config.Parts.Detects)
        {
            DiscriminatorHead.Declare(layout, MainPrefix, config);
        }

        if (config.Parts.Predicts)
        {
            LanguageModelHead.Declare(layout, MainPrefix, config.VocabularySize, config.EmbeddingSize, config.Discriminator.HiddenSize);
        }

        DescribeGenerator(layout, config);
        return layout.Build();
    }

    /// <summary>The same parameters with other gradients, for another thread.</summary>
    public ElectraPretrainingModel Replica() => new(Config, Parameters.Replica());

    /// <summary>Draws first values.</summary>
    public void Initialize(ulong seed) => ParameterInitializer.Initialize(Parameters, Config, seed);

    /// <summary>Names as in Hugging Face's ElectraForPreTraining, with the layout's names of the same parameters.</summary>
    public IEnumerable<(string Name, string Parameter)> DetectionNames() => MainNames(DiscriminatorHead.IsOwn);

    /// <summary>Names of the main model as in Hugging Face's ElectraForMaskedLM (without the tied output weight).</summary>
    public IEnumerable<(string Name, string Parameter)> LanguageModelNames() => MainNames(name => !DiscriminatorHead.IsOwn(name));

    /// <summary>Names of the generator as in Hugging Face's ElectraForMaskedLM (without the tied output weight).</summary>
    public IEnumerable<(string Name, string Parameter)> GeneratorNames()
    {
        string? sharedPart =
            Config.TieEncoders ? EncoderName
            : IsShared(Config) ? EmbeddingsName
            : null;
        IEnumerable<(string, string)> shared = sharedPart is null
            ? []
            : MainNames(_ => false).Where(pair => pair.Name.StartsWith(sharedPart + ".", StringComparison.Ordinal));
        return shared.Concat(NamesUnder(GeneratorPrefix).Select(name => (name, GeneratorPrefix + name)));
    }

    /// <summary>Tensors under names that one of the methods above gave; they belong to the caller's dispose scope.</summary>
    /// <remarks>Views of the parameters, but where the main model's embeddings are differences: there the sums, which is what they
    /// mean.</remarks>
    public IReadOnlyList<(string Name, Tensor Value)> State(IEnumerable<(string Name, string Parameter)> names)
    {
        using IDisposable noGrad = no_grad();
        return [.. names.Select(pair => (pair.Name, Value(pair.Parameter)))];
    }

    /// <summary>
    /// Sets a parameter to what <see cref="State"/> gives for it. Set the generator's embeddings before the main model's.
    /// </summary>
    public void Set(string parameter, Tensor value)
    {
        using var scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Parameters.Value(parameter).copy_(SourceOf(parameter) is { } source ? value.to(source.device) - source : value);
    }

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();

    private static void DescribeGenerator(ParameterLayout.Builder layout, ElectraConfig config)
    {
        if (!config.Parts.HasGenerator)
        {
            return;
        }

        int embedding = config.EmbeddingSizeOfGenerator,
            hidden = config.Generator.HiddenSize;
        bool twoTowers = config.Parts.Generator == ModelParts.TwoTowerGenerator;
        if (!IsShared(config))
        {
            Embeddings.Declare(layout, GeneratorPrefix + EmbeddingsName, config, embedding);
        }

        if (twoTowers)
        {
            TwoTowerEncoder.Declare(layout, GeneratorPrefix, config.Generator, config, embedding);
        }
        else if (!config.TieEncoders)
        {
            ElectraEncoder.Declare(layout, EncoderPrefixOfGenerator(config), config.Generator, config, embedding);
        }

        LanguageModelHead.Declare(layout, GeneratorPrefix, config.VocabularySize, embedding, twoTowers ? 2 * hidden : hidden);
    }

    private static bool IsShared(ElectraConfig config) => config.EmbeddingSharing == ElectraConfig.TiedEmbeddings;

    private static bool IsDisentangled(ElectraConfig config) => config.EmbeddingSharing == ElectraConfig.DisentangledEmbeddings;

    private static string EncoderPrefixOfGenerator(ElectraConfig config) =>
        (config.TieEncoders ? MainPrefix : GeneratorPrefix) + EncoderName;

    private static InvalidOperationException Missing(string part) => new($"the model has no {part}");

    private Tensor Value(string parameter) =>
        SourceOf(parameter) is { } source ? source.Plus(Parameters.Value(parameter)) : Parameters.Value(parameter);

    /// <summary>What a table of differences is relative to; null for other parameters.</summary>
    private Tensor? SourceOf(string parameter) =>
        IsDisentangled(Config) && parameter.StartsWith(MainPrefix, StringComparison.Ordinal) && Embeddings.IsTable(parameter)
            ? Parameters.Value(GeneratorPrefix + parameter[MainPrefix.Length..])
            : null;

    private IEnumerable<(string Name, string Parameter)> MainNames(Func<string, bool> isHead) =>
        NamesUnder(MainPrefix)
            .Where(name => name.StartsWith(EncoderName + ".", StringComparison.Ordinal) || isHead(name))
            .Select(name => (name, MainPrefix + name));

    private IEnumerable<string> NamesUnder(string prefix) =>
        Parameters
            .Layout.Slots.Where(slot => slot.Name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(slot => slot.Name[prefix.Length..]);
}
