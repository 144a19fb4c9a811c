namespace ElectraPipeline.Training.Objective;

/// <summary>Weights and sizes that turn sums of losses into the total: each part is a mean over the whole optimizer step.</summary>
/// <param name="Generator">Generator weight / (tokens of the step that the generator predicts + 1e-6).</param>
/// <param name="Main">The main model's weight / (tokens of the step that its loss counts + 1e-6).</param>
internal readonly record struct LossScale(double Generator, double Main)
{
    /// <summary>Scales for a step of these counts.</summary>
    public static LossScale For(int generatorTokens, int mainTokens, double generatorWeight, double mainWeight) =>
        new(generatorWeight / (generatorTokens + ElectraLoss.Epsilon), mainWeight / (mainTokens + ElectraLoss.Epsilon));
}

/// <summary>Sums over micro-batches; means are taken at the end. Losses in nats.</summary>
internal readonly record struct ObjectiveSums
{
    /// <summary>The generator's negative log-likelihoods.</summary>
    public double GeneratorLoss { get; init; }

    /// <summary>Tokens they are of: the masked ones, but all for Electric.</summary>
    public int Masked { get; init; }

    /// <summary>Of those, how many the generator holds most likely.</summary>
    public int GeneratorCorrect { get; init; }

    /// <summary>The main model's losses: detection, or the negative log-likelihoods of a language model.</summary>
    public double MainLoss { get; init; }

    /// <summary>Tokens they are of.</summary>
    public int MainTokens { get; init; }

    /// <summary>Of those, how many a main language model holds most likely.</summary>
    public int MainCorrect { get; init; }

    /// <summary>Real tokens.</summary>
    public int Tokens { get; init; }

    /// <summary>Pairs of real tokens of one sequence, each with itself included: what attention computes.</summary>
    public long AttendedPairs { get; init; }

    /// <summary>Tokens that differ from the text's in what the main model reads, [MASK] aside.</summary>
    public int Replaced { get; init; }

    /// <summary>Mean loss of the generator a token it predicts.</summary>
    public double MeanGeneratorLoss => GeneratorLoss / (Masked + ElectraLoss.Epsilon);

    /// <summary>Mean loss of the main model a token that counts.</summary>
    public double MeanMainLoss => MainLoss / (MainTokens + ElectraLoss.Epsilon);

    /// <summary>Share of the predicted tokens that the generator holds most likely.</summary>
    public double GeneratorAccuracy => GeneratorCorrect / (double)Math.Max(1, Masked);

    /// <summary>Share of the predicted tokens that a main language model holds most likely.</summary>
    public double MainAccuracy => MainCorrect / (double)Math.Max(1, MainTokens);

    /// <summary>What is known of a micro-batch before anything is computed.</summary>
    /// <param name="batch">The micro-batch.</param>
    /// <param name="masked">Tokens that a generator predicts.</param>
    /// <param name="mainTokens">Tokens that the main model's loss counts.</param>
    public static ObjectiveSums Counted(MaskedBatch batch, int masked, int mainTokens) =>
        new()
        {
            Masked = masked,
            MainTokens = mainTokens,
            Tokens = batch.Tokens,
            AttendedPairs = batch.AttendedPairs,
        };

    /// <summary>Adds two parts of a batch.</summary>
    public static ObjectiveSums operator +(ObjectiveSums a, ObjectiveSums b) =>
        new()
        {
            GeneratorLoss = a.GeneratorLoss + b.GeneratorLoss,
            Masked = a.Masked + b.Masked,
            GeneratorCorrect = a.GeneratorCorrect + b.GeneratorCorrect,
            MainLoss = a.MainLoss + b.MainLoss,
            MainTokens = a.MainTokens + b.MainTokens,
            MainCorrect = a.MainCorrect + b.MainCorrect,
            Tokens = a.Tokens + b.Tokens,
            AttendedPairs = a.AttendedPairs + b.AttendedPairs,
            Replaced = a.Replaced + b.Replaced,
        };
}
