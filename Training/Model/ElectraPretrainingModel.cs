using static TorchSharp.torch;

namespace ElectraPipeline.Training.Model;

/// <summary>Generator and discriminator over one embedding block (ELECTRA, Clark et al. 2020, section 2).</summary>
/// <remarks>
/// Parameters are named as Hugging Face names them in the two exported models, with the prefix "discriminator." or "generator.";
/// what they share, the embeddings or the whole encoder, is stored once, under the discriminator. One instance serves one thread;
/// <see cref="Replica"/> makes another with the same parameters and its own gradients.
/// </remarks>
internal sealed class ElectraPretrainingModel : IDisposable
{
    private const string DiscriminatorPrefix = "discriminator.";
    private const string GeneratorPrefix = "generator.";
    private const string EncoderName = "electra";
    private const string EmbeddingsName = EncoderName + ".embeddings";

    /// <summary>Makes a model with every parameter zero; initialize it or copy parameters in.</summary>
    public ElectraPretrainingModel(ElectraConfig config, Device device)
        : this(config, new ParameterStore(Describe(config), device))
    {
    }

    private ElectraPretrainingModel(ElectraConfig config, ParameterStore parameters)
    {
        Config = config;
        Parameters = parameters;
        var embeddings = new Embeddings(parameters, DiscriminatorPrefix + EmbeddingsName, config);
        Discriminator = new ElectraEncoder(parameters, DiscriminatorPrefix + EncoderName, embeddings, config.Discriminator, config);
        Generator = new ElectraEncoder(parameters, EncoderPrefixOfGenerator(config), embeddings, config.Generator, config);
        DiscriminatorHead = new DiscriminatorHead(parameters, DiscriminatorPrefix);
        GeneratorHead = new GeneratorHead(parameters, GeneratorPrefix, config, embeddings);
    }

    /// <summary>All sizes.</summary>
    public ElectraConfig Config { get; }

    /// <summary>Parameters and gradients.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>The discriminator's encoder.</summary>
    public ElectraEncoder Discriminator { get; }

    /// <summary>The discriminator's head.</summary>
    public DiscriminatorHead DiscriminatorHead { get; }

    /// <summary>The generator's encoder.</summary>
    public ElectraEncoder Generator { get; }

    /// <summary>The generator's head.</summary>
    public GeneratorHead GeneratorHead { get; }

    /// <summary>Where the parameters of a model of these sizes lie.</summary>
    public static ParameterLayout Describe(ElectraConfig config)
    {
        config.Validate();
        var layout = new ParameterLayout.Builder();
        Embeddings.Declare(layout, DiscriminatorPrefix + EmbeddingsName, config);
        ElectraEncoder.Declare(layout, DiscriminatorPrefix + EncoderName, config.Discriminator, config);
        DiscriminatorHead.Declare(layout, DiscriminatorPrefix, config);
        if (!config.TieEncoders)
        {
            ElectraEncoder.Declare(layout, EncoderPrefixOfGenerator(config), config.Generator, config);
        }

        GeneratorHead.Declare(layout, GeneratorPrefix, config);
        return layout.Build();
    }

    /// <summary>The same parameters with other gradients, for another thread.</summary>
    public ElectraPretrainingModel Replica() => new(Config, Parameters.Replica());

    /// <summary>Draws first values.</summary>
    public void Initialize(ulong seed) => ParameterInitializer.Initialize(Parameters, Config, seed);

    /// <summary>Names as in Hugging Face's ElectraForPreTraining, with the layout's names of the same parameters.</summary>
    public IEnumerable<(string Name, string Parameter)> DiscriminatorNames() =>
        NamesUnder(DiscriminatorPrefix).Select(name => (name, DiscriminatorPrefix + name));

    /// <summary>Names as in Hugging Face's ElectraForMaskedLM (without the tied output weight), with the layout's names.</summary>
    public IEnumerable<(string Name, string Parameter)> GeneratorNames()
    {
        string sharedPart = Config.TieEncoders ? EncoderName : EmbeddingsName;
        IEnumerable<(string, string)> shared = DiscriminatorNames().Where(pair => pair.Name.StartsWith(sharedPart + ".", StringComparison.Ordinal));
        return shared.Concat(NamesUnder(GeneratorPrefix).Select(name => (name, GeneratorPrefix + name)));
    }

    /// <summary>The discriminator's state dict as views of the parameters; they belong to the caller's dispose scope.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> DiscriminatorState() => State(DiscriminatorNames());

    /// <summary>The generator's state dict, shared embeddings included, as views; they belong to the caller's dispose scope.</summary>
    public IReadOnlyList<(string Name, Tensor Value)> GeneratorState() => State(GeneratorNames());

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();

    private static string EncoderPrefixOfGenerator(ElectraConfig config) => (config.TieEncoders ? DiscriminatorPrefix : GeneratorPrefix) + EncoderName;

    private IReadOnlyList<(string Name, Tensor Value)> State(IEnumerable<(string Name, string Parameter)> names) =>
        [.. names.Select(pair => (pair.Name, Parameters.Value(pair.Parameter)))];

    private IEnumerable<string> NamesUnder(string prefix) => Parameters.Layout.Slots
        .Where(slot => slot.Name.StartsWith(prefix, StringComparison.Ordinal))
        .Select(slot => slot.Name[prefix.Length..]);
}
