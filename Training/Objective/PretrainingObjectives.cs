using ElectraPipeline.Training.Model;

namespace ElectraPipeline.Training.Objective;

/// <summary>Every objective by its name in configs.</summary>
public static class PretrainingObjectives
{
    /// <summary>The default.</summary>
    public const string Electra = "electra";

    private static readonly ModelParts Ablation = new(ModelParts.LanguageModel, ModelParts.MaskedGenerator);

    private static readonly Dictionary<string, Kind> Kinds = new(StringComparer.Ordinal)
    {
        [Electra] = new(ModelParts.Electra, (model, settings) => new ElectraObjective(model, settings)),
        ["electra-15"] = new(ModelParts.Electra, (model, settings) => new Electra15Objective(model, settings)),
        ["replace-mlm"] = new(Ablation, (model, settings) => new ReplaceMlmObjective(model, settings)),
        ["all-tokens-mlm"] = new(
            Ablation with
            {
                Main = ModelParts.BothHeads,
            },
            (model, settings) => new AllTokensMlmObjective(model, settings)
        ),
        ["mlm"] = new(new(ModelParts.LanguageModel, ModelParts.NoGenerator), (model, settings) => new MlmObjective(model, settings))
        {
            MaskShare = 0.8,
            RandomShare = 0.1,
        },
        ["electric"] = new(
            new(ModelParts.Detection, ModelParts.TwoTowerGenerator),
            (model, settings) => new ElectricObjective(model, settings)
        ),
    };

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Kinds.Keys];

    /// <summary>The networks that an objective trains.</summary>
    /// <exception cref="PermanentException">There is no such objective.</exception>
    public static ModelParts PartsOf(string name) => Find(name).Parts;

    /// <summary>Shares of the masked positions that become [MASK] and a random token where the options leave them open.</summary>
    internal static (double Mask, double Random) SharesOf(string name) => (Find(name).MaskShare, Find(name).RandomShare);

    /// <summary>The objective over a model that has its parts.</summary>
    internal static PretrainingObjective Create(string name, ElectraPretrainingModel model, ObjectiveSettings settings) =>
        Find(name).Create(model, settings);

    private static Kind Find(string name) =>
        Kinds.TryGetValue(name, out Kind? kind)
            ? kind
            : throw new PermanentException($"pretrain: objective \"{name}\" is unknown; the objectives are {string.Join(", ", Names)}");

    private sealed record Kind(ModelParts Parts, Func<ElectraPretrainingModel, ObjectiveSettings, PretrainingObjective> Create)
    {
        public double MaskShare { get; init; } = 0.85;

        public double RandomShare { get; init; }
    }
}
