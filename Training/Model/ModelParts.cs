namespace ElectraPipeline.Training.Model;

/// <summary>Which networks a model has beside its main encoder.</summary>
/// <param name="Main">Heads of the main encoder: "detection", "language-model" or "both".</param>
/// <param name="Generator">What corrupts the input: "masked" (a masked language model), "two-tower" (Electric's) or "none".</param>
public sealed record ModelParts(string Main, string Generator)
{
    internal const string Detection = "detection";
    internal const string LanguageModel = "language-model";
    internal const string BothHeads = "both";
    internal const string MaskedGenerator = "masked";
    internal const string TwoTowerGenerator = "two-tower";
    internal const string NoGenerator = "none";

    /// <summary>ELECTRA's: a discriminator and a masked language model.</summary>
    public static ModelParts Electra { get; } = new(Detection, MaskedGenerator);

    internal bool HasGenerator => Generator != NoGenerator;

    internal bool Detects => Main != LanguageModel;

    internal bool Predicts => Main != Detection;
}
